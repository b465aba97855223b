"""The stage against a quadratic reference, over any parts, slices, order and workers."""

from __future__ import annotations

import tempfile
from functools import partial
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.global_steps import Row, deal, dropped, kept, pair, play, save_pairs, table
from witbuild.dedup.digits import number_hash_one
from witbuild.dedup.folding import fold_one
from witbuild.dedup.shingles import shingle_one
from witbuild.stages.dedup import Dedup
from witbuild.stages.slices import SLICE_ROWS, Scaled, enough, slices_of
from witbuild.web.urls import canonical

WORDS = ["red", "green", "blue", "dog", "cat", "boat", "tree", "house", "car", "sky"]
CAPTION = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
PAIR = st.builds(
    pair,
    st.sampled_from([f"http://a.test/{i}.jpg" for i in range(6)] + ["HTTPS://A.test:443/1.jpg#x"]),
    CAPTION,
    phash=st.none() | st.integers(0, 31),
    width=st.none() | st.integers(1, 3),
    page_url=st.none() | st.sampled_from(["http://p.test/1", "http://p.test/2"]),
)
few = partial(Dedup, slices=3)
SCOPES = ["caption+image", "caption+url", "image", "url"]


def alike(one: Row, two: Row, stage: Dedup) -> bool:
    """Plain Python: are two pairs duplicates by the scope?"""
    same_url = canonical(one["url"]) == canonical(two["url"])
    hashes = [row["phash"] for row in (one, two) if row.get("phash") is not None]
    near = len(hashes) == 2 and (hashes[0] ^ hashes[1]).bit_count() <= stage.hamming
    if "image" in stage.looks_at and not (same_url or near):
        return False
    if "url" in stage.looks_at and not same_url:
        return False
    if "caption" not in stage.looks_at:
        return True
    if stage.numbers == "agree" and len({number_hash_one(row["caption"]) for row in (one, two)}) == 2:
        return False
    a, b = (shingle_one(fold_one(row["caption"]), stage.shingle, stage.size) for row in (one, two))
    return len(a & b) >= stage.threshold * len(a | b)


def reference(rows: list[Row], stage: Dedup) -> list[str]:
    """Plain Python: link all duplicates, keep the best key of each cluster."""
    root = list(range(len(rows)))
    for i, j in combinations(range(len(rows)), 2):
        if alike(rows[i], rows[j], stage):
            root = [root[i] if one == root[j] else one for one in root]
    clusters: dict[int, list[Row]] = {}
    for row, one in zip(rows, root, strict=True):
        clusters.setdefault(one, []).append(row)
    best = (min(rows, key=lambda row: (-area(row), -len(row["caption"]), row["key"])) for rows in clusters.values())
    return sorted(row["key"] for row in best)


def area(row: Row) -> int:
    return (row.get("width") or 0) * (row.get("height") or 0)


def run_on(rows: list[Row], stage: Dedup, parts: int = 1, workers: int = 1) -> tuple[list[str], dict[str, int]]:
    with tempfile.TemporaryDirectory() as folder:
        run = play(Path(folder), stage, deal(rows, parts), workers=workers)
        return kept(run), dict(dropped(run))


@pytest.mark.parametrize("scope", SCOPES)
@settings(max_examples=12)
@given(
    rows=st.lists(PAIR, min_size=1, max_size=14), parts=st.integers(1, 4), slices=st.integers(1, 5), order=st.randoms()
)
def test_the_kept_are_those_of_the_reference(
    scope: Any, rows: list[Row], parts: int, slices: int, order: Random
) -> None:
    rows = [{**row, "height": 2} for row in rows]
    stage = few(scope=scope, threshold=0.5, hamming=1, slices=slices)
    order.shuffle(rows)
    found, reasons = run_on(rows, stage, parts)
    assert found == reference(rows, stage)
    assert sum(reasons.values()) == len(rows) - len(found)


def web(count: int) -> list[Row]:
    """Pairs as the web has them: copies on two pages, mirrors, re-encoded images, near captions, shared captions."""
    random, rows = Random(11), []
    for i in range(count):
        caption = " ".join(random.choices(WORDS, k=8)) + f" number {i}"
        phash = random.getrandbits(64)
        rows.append(pair(f"http://a.test/{i}.jpg", caption, phash=phash, width=100, height=80, page_url="http://p/1"))
        if i % 4 == 0:
            rows.append({**rows[-1], "page_url": "http://p/2"})
        if i % 4 == 1:
            rows.append(pair(f"http://b.test/{i}.jpg", caption.title() + "!", phash=phash, width=200, height=160))
        if i % 4 == 2:
            near = phash ^ (1 << random.randrange(64))
            rows.append(pair(f"http://c.test/{i}.jpg", caption + " again", phash=near, width=50, height=40))
        if i % 4 == 3:
            rows.append(pair(f"http://d.test/{i}.jpg", "sunset", phash=random.getrandbits(64), width=9, height=9))
    return rows


def test_the_planted_are_found_and_the_largest_stays() -> None:
    rows = web(120)
    found, reasons = run_on(rows, few(), parts=3)
    assert reasons == {"duplicate_url": 30, "duplicate_image": 60}
    mirrors = {row["key"] for row in rows if row["url"].startswith("http://b")}
    small = {row["key"] for row in rows if row["url"].startswith("http://c")}
    assert mirrors <= set(found)
    assert not small & set(found)


def test_a_shared_caption_costs_no_photograph_by_default_but_does_when_asked_to() -> None:
    rows = [pair(f"http://a.test/{i}.jpg", "sunset", phash=i << 20) for i in range(16)]
    assert run_on(rows, few(hamming=0))[1] == {}
    assert run_on(rows, few(scope="caption"))[1] == {"duplicate_caption": 15}


def test_before_fetch_the_url_tells_the_image() -> None:
    rows = [pair(f"http://a.test/{i % 2}.jpg", f"a red dog in the snow {'!' * i}") for i in range(6)]
    assert run_on(rows, few())[1] == {"duplicate_url": 4}
    assert run_on(rows, few(scope="caption+url"))[1] == {"duplicate_url": 4}


def test_equal_pixels_can_be_asked_for() -> None:
    rows = [pair(f"http://{i}.test/a.jpg", "a dog", phash=7, pixel_sha256=f"{i % 2:064x}") for i in range(4)]
    assert run_on(rows, few(scope="image", image_hash="pixels"))[1] == {"duplicate_image": 2}
    assert run_on(rows, few(scope="image"))[1] == {"duplicate_image": 3}


def test_parts_slices_order_and_workers_change_nothing(tmp_path: Path) -> None:
    rows = web(80)
    for scope in ("caption", "caption+image"):
        expected = run_on(rows, Dedup(scope=scope))
        shuffled = Random(3).sample(rows, len(rows))
        assert run_on(shuffled, few(scope=scope, slices=1), parts=7) == expected
        assert run_on(rows[::-1], few(scope=scope, slices=5), parts=2, workers=2) == expected


def test_captions_are_joined_with_precision_one_and_the_recall_of_their_bands() -> None:
    """Of 300 pairs of similarity 17/19, bands of (9, 13) share 88%; what is joined is always alike."""
    random = Random(5)
    rows = []
    for i in range(300):
        words = [f"v{random.randrange(4_000)}" for _ in range(9)]
        rows += [pair(f"http://a.test/{i}", " ".join(words)), pair(f"http://b.test/{i}", " ".join([*words, "x"]))]
    stage = few(scope="caption")
    found, reasons = run_on(rows, stage, parts=3)
    assert set(reference(rows, stage)) <= set(found)
    assert 230 <= reasons["duplicate_caption"] <= 300
    assert run_on(rows, few(scope="caption", miss_weight=0.95))[1]["duplicate_caption"] >= 297


def test_every_rule_of_keeping() -> None:
    rows = [
        pair("http://a.test/", "a red dog", width=9, height=9),
        pair("http://a.test/", "a red dog!!", width=8, height=8),
        pair("http://a.test/", "A red dog", width=8, height=8),
    ]
    keys = [row["key"] for row in rows]
    assert run_on(rows, few(keep="largest_image"))[0] == [keys[0]]
    assert run_on(rows, few(keep="longest_caption"))[0] == [keys[1]]
    assert run_on(rows, few(keep="smallest_key"))[0] == [min(keys)]


def test_hostile_captions_cost_nothing_but_themselves() -> None:
    captions = ["", "?", "?", "a", "x" * 2_000, " ".join("ab" * 1_000), "東京" * 900, "\u200b", "🌅"]
    rows = [pair(f"http://a.test/{i}", caption) for i, caption in enumerate(captions)]
    assert run_on(rows, few(scope="caption"))[1] == {"duplicate_caption": 1}


def test_a_hot_image_with_many_captions_is_one_cluster_for_images_and_none_for_pairs() -> None:
    """600 captions on one placeholder: more than are compared pair by pair."""
    rows = [pair(f"http://{i}.test/blank.gif", f"word{i} other{i} third{i}", phash=0) for i in range(600)]
    assert run_on(rows, few(scope="image"), parts=2)[1] == {"duplicate_image": 599}
    assert run_on(rows, few(), parts=2)[1] == {}


def test_the_clusters_are_a_table_with_addresses(tmp_path: Path) -> None:
    run = play(tmp_path, few(), deal(web(12), 2))
    found = table(run, "clusters")
    assert found.num_rows == 2 * 9
    assert set(found["part"].to_pylist()) == {0, 1}


@pytest.mark.parametrize("scope", ["caption", "caption+image", "caption+url", "image", "url"])
def test_what_another_run_has_is_dropped_and_nothing_of_its_own(scope: Any, tmp_path: Path) -> None:
    rows = web(80)
    old, new = rows[:60], [*rows[40:], *web(80)[30:35]]
    stage = few(scope=scope, image_hash="pixels")
    first = play(tmp_path / "first", stage, deal(old, 2))
    second = play(tmp_path / "second", stage, deal(new, 3), against=first.root)
    found, mine = set(kept(second)), rows[60:]
    assert found <= {row["key"] for row in mine}
    assert dropped(second)["against"] >= 25
    captions = table(second, "pairs")["caption"].to_pylist()
    if scope == "caption":
        assert "sunset" not in captions
    else:
        assert len(found) == len(run_on(mine, stage)[0])


def test_an_increment_that_is_there_already_comes_out_empty(tmp_path: Path) -> None:
    first = play(tmp_path / "first", few(), deal(web(30), 2))
    second = play(tmp_path / "second", few(), deal(web(30), 3), against=first.root)
    assert kept(second) == []
    assert dropped(second) == {"against": len(web(30))}


def test_against_reaches_through_a_chain_and_is_the_same_in_any_parts(tmp_path: Path) -> None:
    """A held-out caption drops its neighbour, and through it the neighbour's neighbour."""
    words = [f"word{i}" for i in range(12)]
    chain = [" ".join(words), " ".join([*words, "x"]), " ".join([*words, "x", "y"])]
    rows = [pair("http://a.test/1.jpg", caption) for caption in chain[1:]] + web(20)
    held = save_pairs(tmp_path / "held", [[pair("http://a.test/1.jpg", chain[0])]])
    runs = [play(tmp_path / str(n), few(slices=n), deal(rows, n), against=held) for n in (1, 3)]
    assert dropped(runs[0])["against"] == 2
    assert kept(runs[0]) == kept(runs[1])
    assert dropped(runs[0]) == dropped(runs[1])


@pytest.mark.parametrize(
    "wrong", [{"threshold": 0}, {"threshold": 1.1}, {"hamming": 7}, {"scope": "page"}, {"slices": 0}]
)
def test_senseless_parameters_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Dedup(**wrong)


@pytest.mark.parametrize("scope", ["caption", "caption+image", "url"])
def test_slices_chosen_by_the_rows_of_each_table_change_nothing(
    scope: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With a hundred-thousandth of the rows a slice: then each table has its own number of slices."""
    rows = web(80)
    expected = run_on(rows, Dedup(scope=scope))
    monkeypatch.setattr(Scaled, "into", lambda _, rows, each=SLICE_ROWS: enough(rows, max(each >> 17, 1)))
    run = play(tmp_path, Dedup(scope=scope), deal(rows, 9))
    assert (kept(run), dict(dropped(run))) == expected
    slices = {kind: slices_of(run.paths(run.newest(kind)[1], kind)) for kind in ("members", "clusters", "drops")}
    assert min(slices.values()) > 1
    if scope != "url":
        kinds = ("bands", "candidates", "records", "edges", "members", "clusters", "drops")
        assert len({slices_of(run.paths(run.newest(kind)[1], kind)) for kind in kinds}) > 2
