"""The stage `filter`: each rule on pairs that pass and fail by a hair, and what happens to a wrong rule."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from witbuild.io import tables
from witbuild.recipe import Recipe
from witbuild.runner.identity import identify
from witbuild.schema import PAIRS
from witbuild.stage import Part, Task
from witbuild.stages.filter import Filter, grammar
from witbuild.stages.filter import captions as captions_rules
from witbuild.stages.filter.captions import repeated
from witbuild.stages.filter.origins import licence_code
from witbuild.stages.filter.rules import RULES
from witbuild.text.keys import pair_key
from witbuild.text.tokens import tokens

DOCS = Path(__file__).parents[2] / "docs" / "filter.md"


def pairs(*rows: dict[str, Any]) -> pa.Table:
    full = [{"url": "http://a.test/1.jpg", "caption": "a red square", **row} for row in rows]
    known = {"caption_source": "alt", "source": "list"}
    return tables.from_rows([{"key": pair_key(row["url"], row["caption"]), **known, **row} for row in full], PAIRS)


def apply(table: pa.Table, *rules: dict[str, Any], **more: Any) -> Part:
    return Filter(rules=rules, **more).apply(table, Task(0, {}))


def kept(column: str, values: list[Any], rule: str, argument: Any) -> list[Any]:
    part = apply(pairs(*({column: value} for value in values)), {rule: argument})
    assert part.table.num_rows + sum(part.dropped.values()) == len(values)
    assert set(part.dropped) <= {rule}
    return list(part.table[column].to_pylist())


CASES: list[tuple[str, Any, str, list[Any], list[Any]]] = [
    ("min_characters", 5, "caption", ["abcde", "日本の京都"], ["abcd", "", "日本京都"]),
    ("max_characters", 3, "caption", ["abc", ""], ["abcd"]),
    ("min_words", 3, "caption", ["a red square", "ice-cream cake"], ["red square", "", "- - -"]),
    ("max_words", 2, "caption", ["red square", "- a - b -", ""], ["a red square", "ice-cream cake"]),
    ("repeated_words", 0.2, "caption", ["a b c d d", "", "a"], ["a b c c", "Buy buy BUY"]),
    ("has_noun", True, "caption", ["the dogs ran", "berries", "firemen"], ["the of and", "", "wqzx"]),
    ("has_determiner", True, "caption", ["A dog", "near THE sea"], ["dogs", "ant", ""]),
    (
        "caption_not_url",
        True,
        "caption",
        ["see http://a.test now", "wwwhat"],
        ["http://a.test/x", "WWW.a.test", "https://"],
    ),
    (
        "caption_not_filename",
        True,
        "caption",
        ["jpg files", "the jpg.", "image of a dog"],
        ["cat.jpg", "My Cat.JPEG", "IMG_1234", "DSCN 0042", "image", "dsc", "a.webp"],
    ),
    ("caption_matches", "^[A-Z]", "caption", ["Dog"], ["dog", ""]),
    ("caption_not_matches", r"\$\d", "caption", ["5 $"], ["only $5"]),
    ("caption_source", ["alt", "api"], "caption_source", ["alt", "api"], ["og"]),
    ("language", ["en"], "language", ["en", "en-GB", "EN"], ["de", "enm", "und"]),
    (
        "url_scheme",
        ["https", "http"],
        "url",
        ["HTTPS://a.test/", "http://a.test"],
        ["data:image/gif;base64,R0", "ftp://a"],
    ),
    (
        "url_extension",
        ["jpg"],
        "url",
        ["http://a.test/x.JPG", "http://a.test/x.jpg?w=1", "http://a.test/x.jpg#a"],
        ["http://a.test/x", "http://a.test/?f=x.jpg", "http://a.test/x.jpg/y", "http://a.test/xjpg"],
    ),
    (
        "url_extension_not",
        ["svg", "gif"],
        "url",
        ["http://a.test/x.jpg", "http://a.test/svg", "http://a.test/?x=a.gif"],
        ["http://a.test/x.SVG", "http://a.test/x.gif?1"],
    ),
    (
        "host",
        ["a.test"],
        "url",
        ["http://a.test/x", "https://i.A.test:80/x", "http://u:p@a.test", "http://a.test./x"],
        ["http://ba.test/", "http://b.test/a.test/", "http://a.test.evil/", "http://a.test@b.test/", "http://aXtest/"],
    ),
    ("host_not", ["a.test"], "url", ["http://b.test/"], ["http://a.test/x", "http://i.a.test/x"]),
    ("page_matches", "/r/(cats|dogs)/", "page_url", ["http://r.test/r/cats/1"], ["http://r.test/r/news/", None]),
    (
        "licence",
        ["cc0", "CC BY", "gfdl"],
        "licence",
        ["https://creativecommons.org/licenses/by/4.0/", "CC BY 4.0", "CC0", "cc-by-3.0", "GFDL"],
        ["CC BY-SA 4.0", "http://creativecommons.org/licenses/by-nc/2.0/", "All rights reserved", None, ""],
    ),
    (
        "no_opt_out",
        ["noai", "noindex"],
        "opt_out",
        [None, "", "noimageindex", "noaix"],
        ["noai", "a, noindex", "x,NOAI"],
    ),
    ("min_bytes", 5000, "original_bytes", [5000, None], [4999, 0]),
    ("original_format", ["jpg", "png"], "original_format", ["jpg", "png", None], ["gif", "webp"]),
    (
        "reliable_language",
        ["en"],
        "caption",
        ["two dogs are playing in the snow outside"],
        ["zwei Hunde spielen im Schnee", "xbox", "12 30", ""],
    ),
    (
        "subreddit",
        ["cats", "DIY"],
        "page_url",
        ["https://www.reddit.com/r/cats/comments/1", "http://old.reddit.com/r/diy", "https://reddit.com/r/Cats?x"],
        ["https://www.reddit.com/r/catsanddogs/", "https://a.test/r/cats/", "https://a.test/reddit.com/r/cats/", None],
    ),
    ("min_clip_score", 0.26, "clip_score", [0.26, 1.0], [0.2599, -1.0]),
    ("max_unsafe_score", 0.5, "unsafe_score", [0.5, 0.0], [0.5001]),
    ("max_watermark_score", 0.8, "watermark_score", [0.8], [0.9]),
    ("min_aesthetic_score", 4.5, "aesthetic_score", [4.5, 10.0], [4.4]),
    ("max_face_score", 0.9, "face_score", [0.9, 0.0], [0.91]),
]
LISTED: dict[str, Any] = {"known_words": {"list": 20}, "no_words_of": ["list"]}


@pytest.mark.parametrize(("rule", "argument", "column", "good", "bad"), CASES, ids=[case[0] for case in CASES])
def test_a_rule_keeps_and_drops(rule: str, argument: Any, column: str, good: list[Any], bad: list[Any]) -> None:
    values = [value for both in zip(good, bad, strict=False) for value in both]
    values += [value for value in (*good, *bad) if value not in values]
    as_stored = pairs(*({column: value} for value in good))[column].to_pylist()
    assert sorted(map(repr, kept(column, values, rule, argument))) == sorted(map(repr, as_stored))


SIZES = [(200, 300), (199, 300), (300, 199), (600, 200), (601, 200), (200, 601), (None, None), (0, 0), (0, 5)]


@pytest.mark.parametrize(
    ("rule", "argument", "expected"),
    [
        ("min_side", 200, [0, 3, 4, 5, 6]),
        ("max_aspect", 3.0, [0, 1, 2, 3, 6, 7]),
        ("max_pixels", 60_000, [0, 1, 2, 6, 7, 8]),
    ],
)
def test_sizes(rule: str, argument: float, expected: list[int]) -> None:
    table = pairs(*({"width": w, "height": h, "source_offset": i} for i, (w, h) in enumerate(SIZES)))
    assert apply(table, {rule: argument}).table["source_offset"].to_pylist() == expected


def test_the_size_as_served_counts_before_the_stored_one() -> None:
    resized = {"width": 100, "height": 80, "original_width": 1000, "original_height": 800}
    upscaled = {"width": 1000, "height": 800, "original_width": 100, "original_height": 80}
    assert apply(pairs(resized, upscaled), {"min_side": 200}).table["width"].to_pylist() == [100]


def test_the_first_rule_that_fails_names_the_drop() -> None:
    table = pairs({"caption": "no"}, {"caption": "a red square"}, {"url": "http://a.test/x.svg"}, {"caption": ""})
    part = apply(table, {"min_words": 1}, {"url_extension_not": ["svg"]}, {"min_words": 2})
    assert part.table["caption"].to_pylist() == ["a red square"]
    assert part.dropped == {"min_words": 2, "url_extension_not": 1}
    assert part.table.schema == PAIRS


def test_an_unknown_language_is_found_out_and_written_down() -> None:
    texts = ["two dogs are playing in the snow", "zwei Hunde spielen im Schnee", "zwei Hunde spielen"]
    table = pairs(*({"caption": text} for text in texts[:2]), {"caption": texts[2], "language": "en"})
    part = apply(table, {"language": ["en", "fr"]})
    assert part.table.select(["caption", "language"]).to_pylist() == [
        {"caption": texts[0], "language": "en"},
        {"caption": texts[2], "language": "en"},
    ]
    assert part.table.schema == PAIRS
    assert apply(table, {"min_words": 1}).table["language"].null_count == 2


@pytest.mark.parametrize("rule", RULES)
def test_no_pairs_give_no_pairs(rule: str, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("dog 30\n")
    argument = LISTED.get(rule) or next((case[1] for case in CASES if case[0] == rule), 1)
    part = apply(pairs(), {rule: argument}, word_lists={"list": str(tmp_path / "words.txt")})
    assert (part.table.num_rows, part.table.schema, part.dropped) == (0, PAIRS, {})


SCORE_RULES = {case[0]: case[2] for case in CASES if case[2].endswith("_score")}


@pytest.mark.parametrize("rule", SCORE_RULES)
def test_a_pair_without_a_score_cannot_be_shown_to_pass(rule: str) -> None:
    column = SCORE_RULES[rule]
    part = apply(pairs({column: None}, {column: 1.0}, {column: None}), {rule: 1.0})
    assert part.table[column].to_pylist() == [1.0]
    assert part.dropped == {f"no_{column}": 2}


def test_a_cosine_may_be_asked_for_by_language() -> None:
    rows = [("en", 0.27), ("en-GB", 0.28), ("de", 0.27), ("de", 0.25), ("ja", 0.29), ("ja", 0.31)]
    table = pairs(*({"language": tag, "clip_score": score, "caption": f"{tag} {score}"} for tag, score in rows))
    part = apply(table, {"min_clip_score": {"en": 0.28, "ja": 0.3, "other": 0.26}})
    assert part.table["caption"].to_pylist() == ["en-GB 0.28", "de 0.27", "ja 0.31"]
    assert part.dropped == {"min_clip_score": 3}
    english = apply(table, {"min_clip_score": {"en": 0.2}})
    assert set(english.table["language"].to_pylist()) == {"en", "en-GB"}
    unknown = pairs({"clip_score": 0.27, "caption": "zwei Hunde spielen im Schnee vor dem Haus"})
    assert apply(unknown, {"min_clip_score": {"en": 0.28, "other": 0.26}}).table["language"].to_pylist() == ["de"]


def test_every_word_must_be_known_but_for_numbers(tmp_path: Path) -> None:
    path = tmp_path / "words.txt.gz"
    path.write_bytes(gzip.compress("the 900\ndog 30\nocelot 19\nocelot 1\nrare 19\nnaïve 50\n".encode()))
    captions = ["The dog", "the ocelot, 1999", "the 3D dog", "the rare dog", "the dgo", "NAÏVE dog", "", "日本"]
    part = apply(
        pairs(*({"caption": text} for text in captions)), {"known_words": {"own": 20}}, word_lists={"own": str(path)}
    )
    assert part.table["caption"].to_pylist() == ["The dog", "the ocelot, 1999", "the 3D dog", "NAÏVE dog", ""]
    assert part.dropped == {"known_words": 3}


def test_no_word_or_phrase_of_a_list_may_stand_in_the_caption(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("Darn\nbad  dog\n\n")
    (tmp_path / "none.txt").write_text("")
    captions = ["darned", "DARN!", "a bad, dog", "a dog, bad", "bad dogs"]
    lists = {name: str(tmp_path / f"{name}.txt") for name in ("bad", "none")}
    part = apply(pairs(*({"caption": text} for text in captions)), {"no_words_of": ["none", "bad"]}, word_lists=lists)
    assert part.table["caption"].to_pylist() == ["darned", "a dog, bad", "bad dogs"]
    assert part.dropped == {"no_words_of": 2}


def test_a_list_that_no_rule_names_is_forgotten() -> None:
    stage = Filter(rules=({"min_words": 1}, {"known_words": {"b": 1}}), word_lists={"a": "a.txt", "b": "b.txt"})
    assert stage.word_lists == {"b": "b.txt"}
    whole = Recipe(stages=(stage,)).without(["filter.known_words"])
    assert whole.to_yaml() == "stages:\n- filter:\n    rules:\n    - min_words: 1\n"


def test_another_word_list_is_another_stage(tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    stage = Filter(rules=({"no_words_of": ["bad"]},), word_lists={"bad": str(path)})
    path.write_text("darn\n")
    before = identify(stage, {}).fingerprint
    path.write_text("damn\n")
    assert identify(stage, {}).fingerprint != before


@given(st.lists(st.text(max_size=20), max_size=6))
def test_every_rule_survives_every_caption(captions: list[str]) -> None:
    rules = [{rule: argument} for rule, argument, column, *_ in CASES if column in {"caption", "language"}]
    captions = [caption.encode("utf-8", "replace").decode() for caption in captions]
    table = pairs(*({"caption": caption} for caption in captions))
    for rule in rules:
        part = apply(table, rule)
        assert part.table.num_rows + sum(part.dropped.values()) == len(captions)


@given(st.lists(st.sampled_from("abc"), max_size=8))
def test_repeated_is_the_share_of_later_occurrences(words: list[str]) -> None:
    later = sum(word in words[:place] for place, word in enumerate(words))
    assert repeated(words) == pytest.approx(later / len(words) if words else 0)


WORDS = st.lists(
    st.sampled_from(["a", "the", "dog", "Dogs", "berries", "foxes", "of", "women", "7", "日本", "café"]), max_size=7
)


@given(st.lists(WORDS.map(" ".join), min_size=1, max_size=5), st.sampled_from([0.0, 0.2, 0.5, 1.0]))
def test_rules_on_words_are_what_they_say_word_by_word(captions: list[str], most: float) -> None:
    table = pairs(*({"caption": caption} for caption in captions))
    words = [tokens(caption) for caption in captions]
    assert captions_rules.repeated_words(table, most).tolist() == [repeated(one) <= most for one in words]
    determined = [not grammar.DETERMINERS.isdisjoint(one) for one in words]
    assert grammar.has_determiner(table, _on=True).tolist() == determined
    named = [any(form in grammar.nouns() for word in one for form in singulars(word)) for one in words]
    assert grammar.has_noun(table, _on=True).tolist() == named


def singulars(word: str) -> list[str]:
    """A word and what it could be the regular plural of."""
    endings = (("s", ""), ("es", ""), ("ies", "y"), ("men", "man"))
    return [word, *(word.removesuffix(old) + new for old, new in endings if word.endswith(old))]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([{"min_word": 3}], r"unknown rule 'min_word'; did you mean 'min_words'\? Known: min_characters"),
        ([{"min_words": "three"}], "rule 'min_words': .*found 'three'"),
        ([{"min_words": -1}], "rule 'min_words': .*greater than or equal to 0"),
        ([{"language": []}], "rule 'language': .*at least 1 item"),
        ([{"language": "en"}], "rule 'language': .*valid list"),
        ([{"url_extension_not": [".svg"]}], "rule 'url_extension_not': .*match pattern"),
        ([{"caption_matches": "("}], "rule 'caption_matches': .*not a regular expression of RE2"),
        ([{"caption_matches": r"(a)\1"}], "rule 'caption_matches': .*not a regular expression of RE2"),
        ([{"no_words_of": ["bad"]}], r"no word list 'bad'; name its file: `word_lists: \{bad: PATH\}`"),
        ([{"min_clip_score": {}}], "rule 'min_clip_score': "),
        ([{"min_clip_score": 28}], "rule 'min_clip_score': .*less than or equal to 1"),
        ([{"original_format": ["jpeg"]}], "rule 'original_format': .*'jpg', 'png', 'webp', 'gif' or 'avif'"),
        ([{"has_noun": False}], "rule 'has_noun': .*found False"),
        ([{"min_words": 3, "max_words": 5}], "a rule is one name with its argument"),
        ([{}], "a rule is one name with its argument"),
        ([], "at least 1 item"),
        (["min_words"], "valid dictionary"),
    ],
)
def test_a_wrong_rule_says_what_is_wrong(rules: list[Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Filter.model_validate({"rules": rules})


def test_a_recipe_holds_rules() -> None:
    recipe = Recipe.parse("stages:\n  - filter:\n      rules:\n        - min_words: 3\n        - language: [en]\n")
    (stage,) = recipe.stages
    assert isinstance(stage, Filter)
    assert stage.rules == ({"min_words": 3}, {"language": ["en"]})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("https://creativecommons.org/licenses/by-nc-nd/4.0/deed.de", "cc-by-nc-nd"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0"),
        ("CC BY-SA 3.0 de", "cc-by-sa"),
        ("CC-BY-2.0", "cc-by"),
        ("by-nc-sa", "cc-by-nc-sa"),
        ("Public domain", "pd"),
        ("by permission", "by permission"),
        ("bystander", "bystander"),
        ("", ""),
    ],
)
def test_licence_codes(text: str, code: str) -> None:
    assert licence_code(text) == code


def test_every_rule_is_tested_and_documented() -> None:
    tested = {case[0] for case in CASES} | {"min_side", "max_aspect", "max_pixels", *LISTED}
    assert tested == set(RULES)
    text = DOCS.read_text()
    assert [name for name in RULES if f"| `{name}` |" not in text] == []
    assert [rule.doc() for rule in RULES.values() if rule.doc() not in text] == []
