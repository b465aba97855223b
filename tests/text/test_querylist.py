"""The query list: order, normal form, repeats, what cannot match, budget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.text.normalise import can_match, normalise
from witbuild.text.querylist import Candidate, Rules, Source, query_list

texts = st.lists(st.text(alphabet="aAb .'-é3", max_size=6), max_size=12)
Sources = list[tuple[Source, list[Candidate]]]


def sources(words: list[str], titles: list[str]) -> Sources:
    return [("word", list(map(Candidate, words))), ("title", list(map(Candidate, titles)))]


@given(texts, texts, st.integers(1, 9))
def test_the_list_holds_each_normal_form_once_and_all_else_is_counted(
    words: list[str], titles: list[str], budget: int
) -> None:
    found, dropped = query_list(sources(words, titles), Rules("witbuild", budget))
    names = [query.query for query in found]
    normal = [normalise(text) for text in (*words, *titles)]
    assert names == list(dict.fromkeys(name for name in normal if name and can_match(name)))[:budget]
    assert len(found) + sum(dropped.values()) == len(words) + len(titles)


def test_the_first_source_keeps_a_query_and_ranks_count_all_candidates() -> None:
    found, dropped = query_list(sources(["dog", "DOG", "cat"], ["Cat", "Bird"]), Rules("witbuild", 9))
    assert [(q.query, q.source, q.rank) for q in found] == [
        ("dog", "word", 0),
        ("cat", "word", 2),
        ("bird", "title", 1),
    ]
    assert dropped == {"duplicate": 2}


@pytest.mark.parametrize("keep", [False, True])
def test_what_cannot_match_goes_unless_it_is_asked_for(keep: bool) -> None:  # noqa: FBT001
    rules = Rules("metaclip", 9, keep_unmatchable=keep)
    found, dropped = query_list(sources([], ["St. Louis", "dog", ""]), rules)
    assert [query.query for query in found] == (["St. Louis", "dog"] if keep else ["dog"])
    assert dropped == {"cannot_match": 1 if keep else 2}
