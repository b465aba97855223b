"""Explanations of every pair of a run, held to what its tables and manifests say."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.made_run import Balanced, Harvested, Listed, make
from witbuild.audit.explain import Explanation, explain, keys
from witbuild.audit.trace import trace
from witbuild.cli.app import load
from witbuild.errors import InputError
from witbuild.io import tables, tars
from witbuild.io.run import Run
from witbuild.runner.replay import Made, replay
from witbuild.stages.shard import Shard


@pytest.fixture(scope="module")
def steps(demo_run: Path) -> list[Made]:
    return list(replay(str(demo_run)))


def keys_of(steps: list[Made], name: str) -> list[str]:
    made = next(made for made in steps if made.stage.name == name)
    found: list[str] = tables.read_all(made.paths(), ["key"])["key"].to_pylist()
    return found


@pytest.fixture(scope="module")
def explained(demo_run: Path, steps: list[Made]) -> dict[str, Explanation]:
    """One explanation for each reason of a step that dropped something, and for one pair that stayed."""
    out: dict[str, Explanation] = {}
    for key in dict.fromkeys(keys_of(steps, "harvest")):
        way = trace(steps, key)
        gone = not way.seen[-1][1]
        name = f"{way.stops[-1].step[3:]} {way.stops[-1].reason}" if gone else "partly" if way.stops else "kept"
        if name not in out:
            out[name] = explain(str(demo_run), key)
    return out


def test_the_reasons_of_all_pairs_add_up_to_the_funnel(steps: list[Made]) -> None:
    found: dict[str, Counter[str]] = {}
    for key in set(keys_of(steps, "harvest")):
        for stop in trace(steps, key).stops:
            found.setdefault(stop.step, Counter())[stop.reason] += stop.rows
    expected = {
        made.folder.name: Counter(made.manifest.dropped)
        for made in steps
        if made.stage.output in ("pairs", "samples") and made.stage.name != "harvest" and made.manifest.dropped
    }
    assert found == expected
    assert len(expected) >= 5


def test_a_kept_pair_is_told_from_page_to_byte(demo_run: Path, explained: dict[str, Explanation]) -> None:
    one = explained["kept"]
    assert one.place is not None
    for name, at in one.place["members"].items():
        content = tars.read(str(demo_run / one.place["shard"]), tars.Extent(at["offset"], at["bytes"]))
        if name == "txt":
            assert content.decode() == one.caption
        if name == "json":
            record = json.loads(content)
    assert (record["key"], record["url"], record["page_url"]) == (one.key, one.url, one.origins[0]["page_url"])
    assert [query["query"] for query in one.queries] == record["queries"]
    assert (one.image["original_sha256"], one.image["phash"]) == (record["sha256"], record["phash"])
    assert [fetch["status"] for fetch in one.fetches] == ["ok"]
    assert one.verdict.startswith("kept: sample ")


def test_the_coin_that_decided_is_the_one_that_explains_it(explained: dict[str, Explanation]) -> None:
    for name, passed in {"kept": True, "balance.keep over_limit": False}.items():
        (decisive,) = [query for query in explained[name].queries if query["decides"]]
        assert decisive["passed"] is passed
        assert decisive["cut"] is None or (decisive["coin"] < decisive["cut"]) is passed
        assert decisive["count"] == min(query["count"] for query in explained[name].queries)


def test_the_count_of_a_query_is_that_of_the_pairs_that_match_it(
    steps: list[Made], explained: dict[str, Explanation]
) -> None:
    keep = next(made for made in steps if made.stage.name == "balance.keep")
    lists = tables.read_all(keep.inputs["pairs"], ["query_ids"])["query_ids"].to_pylist()
    after = tables.read_all(keep.paths(), ["query_ids"])["query_ids"].to_pylist()
    texts = tables.read_all(keep.inputs["queries"], ["query"])["query"].to_pylist()
    before, left = (Counter(texts[i] for ids in rows for i in ids) for rows in (lists, after))
    for query in explained["balance.keep over_limit"].queries:
        assert (query["count"], query["after"]) == (before[query["query"]], left[query["query"]])


@pytest.mark.parametrize("name", ["dedup.drop duplicate_url", "dedup.drop duplicate_image"])
def test_a_duplicate_is_shown_with_the_one_that_stays(explained: dict[str, Explanation], name: str) -> None:
    one = explained[name]
    (cluster,) = [cluster for cluster in one.clusters if cluster["step"] == one.stops[-1].step]
    fates = {member["key"]: member["dropped"] for member in cluster["members"]}
    assert fates[one.key] == name.split()[1]
    assert list(fates.values()).count(None) == 1
    assert cluster["pairs"] == len(cluster["members"]) > 1


def test_a_pair_found_twice_may_leave_once_and_stay(explained: dict[str, Explanation]) -> None:
    one = explained["partly"]
    assert one.verdict.startswith("kept: ") and len(one.origins) == 2
    assert sum(stop.rows for stop in one.stops) == 1
    (cluster,) = one.clusters
    fates = [member["dropped"] for member in cluster["members"] if member["key"] == one.key]
    assert sorted(fate or "" for fate in fates) == ["", one.stops[0].reason]


def test_a_failed_fetch_says_what_the_server_said(explained: dict[str, Explanation]) -> None:
    one = explained["fetch.download http_404"]
    assert [(fetch["status"], fetch["http_status"]) for fetch in one.fetches] == [("http_404", 404)]
    assert one.place is None and not one.image


def test_a_url_leads_to_all_its_pairs(demo_run: Path, explained: dict[str, Explanation]) -> None:
    one = explained["dedup.drop duplicate_url"]
    found = keys(str(demo_run), one.url)
    assert one.key in found and len(found) == 2
    with pytest.raises(InputError, match="no pair with the URL"):
        keys(str(demo_run), "http://nowhere.test/")


def test_a_key_that_never_was_is_a_clear_error(demo_run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no pair 0{32} was ever in this run"):
        explain(str(demo_run), "0" * 32)
    with pytest.raises(InputError, match="not a run directory"):
        explain(str(tmp_path), "0" * 32)


def test_a_run_without_balance_fetch_or_dedup_is_explained_too(tmp_path: Path) -> None:
    run = make(str(tmp_path), Listed(), Harvested(pairs=10), Balanced(limit=2), Shard(slices=1))
    rows = tables.read_all(run.paths(run.manifests()[1][1], "pairs"))
    told = [explain(run.root, key) for key in rows["key"].to_pylist()]
    kept = [one for one in told if one.place]
    assert 0 < len(kept) < 20
    # This balance counts as it goes, so it cannot judge a row alone, and says so instead of guessing.
    reason = "not in what it wrote; the step does not say why"
    assert {one.verdict for one in told if not one.place} == {f"dropped by 03-balance: {reason}"}
    assert sum(
        row["samples"] for row in tables.read_all(run.paths(Run(run.root).newest("shards")[1], "shards")).to_pylist()
    ) == len(kept)


def test_a_shard_of_parquet_has_rows(tmp_path: Path) -> None:
    run = make(str(tmp_path), Listed(), Harvested(pairs=6), Shard(slices=1, format="parquet"))
    keys_there = [row["key"] for row in pq.read_table(run.paths(run.newest("parquets")[1], "parquets")[0]).to_pylist()]
    for number, key in enumerate(keys_there):
        told = explain(run.root, key)
        assert told.place == {"shard": "dataset/data/train-00000-of-00001.parquet", "row": number, "members": {}}
        assert told.verdict.startswith("kept: ")


def test_the_command_prints_text_and_json(
    demo_run: Path, explained: dict[str, Explanation], capsys: pytest.CaptureFixture[str]
) -> None:
    one = explained["kept"]
    load("explain").main([one.key, "--run", str(demo_run)], standalone_mode=False)
    text = capsys.readouterr().out
    assert one.verdict in text and one.url in text and "keep_probability" in text
    load("explain").main(["--url", one.url, "--run", str(demo_run), "--json"], standalone_mode=False)
    assert one.key in {found["key"] for found in json.loads(capsys.readouterr().out)}
