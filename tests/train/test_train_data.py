"""Where batches come from: sources with weights, the index on disk, streams, what cannot be used."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
pytest.importorskip("open_clip")
pytestmark = pytest.mark.train

from tests.train import pictures  # noqa: E402
from witbuild.errors import EmptyError, InputError, RecipeError  # noqa: E402
from witbuild.train import stream  # noqa: E402
from witbuild.train.captions import tokenise  # noqa: E402
from witbuild.train.data import Indexed, feed  # noqa: E402
from witbuild.train.order import Order  # noqa: E402
from witbuild.train.pixels import Loader  # noqa: E402
from witbuild.train.shelf import Index, indexed  # noqa: E402
from witbuild.train.sources import sources, weights  # noqa: E402
from witbuild.train.stream import Streamed  # noqa: E402
from witbuild.train.world import ALONE, World  # noqa: E402

# ---- the order of several sources


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_every_source_has_its_share_of_every_epoch_and_gives_all_before_any_again(data: st.DataObject) -> None:
    counts = tuple(data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=4)))
    factors = tuple(data.draw(st.lists(st.floats(0.1, 9), min_size=len(counts), max_size=len(counts))))
    order = Order(counts, 1, data.draw(st.integers(0, 99)), factors, data.draw(st.integers(1, 60)))
    shares = order.shares()
    assert sum(shares) == order.size
    mass = [factor * count for factor, count in zip(factors, counts, strict=True)]
    assert all(abs(share - order.size * part / sum(mass)) < 1 for share, part in zip(shares, mass, strict=True))
    edges = np.cumsum([0, *counts])
    seen: Counter[int] = Counter()
    for epoch in range(4):
        numbers = np.concatenate([order.batch(step) for step in range(epoch * order.size, (epoch + 1) * order.size)])
        seen.update(numbers.tolist())
        assert np.histogram(numbers, edges)[0].tolist() == shares
        for first, last in pairwise(edges):
            times = [seen[number] for number in range(first, last)]
            assert max(times) - min(times) <= 1


def test_of_one_source_the_weight_is_nothing() -> None:
    for step in range(6):
        assert np.array_equal(Order((30,), 10, 5, (3.0,)).batch(step), Order((30,), 10, 5).batch(step))


def test_sources_are_said_as_open_clip_says_them(tmp_path: Path) -> None:
    for name in ("a/00.tar", "a/01.tar", "b/x.tar", "b/note.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    assert sources(f"{a}/{{00..01}}.tar::{b}") == [[f"{a}/00.tar", f"{a}/01.tar"], [f"{b}/x.tar"]]
    assert sources("pipe:cat {1..2}.tar") == [["pipe:cat 1.tar", "pipe:cat 2.tar"]]
    with pytest.raises(RecipeError, match="no tars there"):
        sources(f"{a}::{tmp_path}/c/*.tar")
    for factors in ("1", "1::0", "1::x"):
        with pytest.raises(RecipeError, match="expected 2 positive numbers"):
            weights(factors, 2)


# ---- the index


@pytest.fixture(scope="module")
def tars(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("tars")
    return [pictures.captioned(folder / f"{number}.tar", 24 + number, seed=number) for number in range(6)]


def made(tars: list[str], folder: Path, **more: Any) -> Index:
    return indexed(tars, folder, context_length=16, **more)


def test_the_index_holds_what_the_tars_hold(tars: list[str], tmp_path: Path) -> None:
    index = made(tars, tmp_path)
    assert len(index.images) == len(index.captions) == sum(range(24, 30))
    assert index.counts([2, 3, 1]) == [49, 26 + 27 + 28, 29]
    loader = Loader(index.images, size=40, side=40, workers=1)
    from witbuild.train.index import read_pairs

    pairs = read_pairs(tars)
    expected = tokenise(pairs.captions, 16)
    assert np.array_equal(index.captions.ids, expected.ids) and np.array_equal(index.captions.ends, expected.ends)
    assert np.array_equal(index.images.offset, pairs.images.offset)
    pixels, shown = loader.batch(np.array([70, 3]), np.full((2, 2), 0.5))
    assert shown == [70, 3] and pixels.shape == (2, 40, 40, 3)


def test_the_index_is_made_once_and_again_when_its_tars_change(tars: list[str], tmp_path: Path) -> None:
    made(tars, tmp_path)
    before = (tmp_path / "ids.npy").stat().st_mtime_ns
    made(tars, tmp_path)
    assert (tmp_path / "ids.npy").stat().st_mtime_ns == before
    assert len(made(tars[:2], tmp_path).captions) == 49
    (tmp_path / "index.json").unlink()  # killed before the last file: nothing counts
    assert len(made(tars, tmp_path).captions) == sum(range(24, 30))


@pytest.mark.slow
def test_several_processes_make_the_same_index(tars: list[str], tmp_path: Path) -> None:
    alone, many = made(tars, tmp_path / "1"), made(tars, tmp_path / "2", workers=2)
    for name in ("shard", "offset", "size", "ids", "ends"):
        one, other = ((tmp_path / folder / f"{name}.npy").read_bytes() for folder in "12")
        assert one == other, name
    assert alone.dropped == many.dropped


def test_members_and_captions_of_any_name(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    image = pictures.picture("red disc", random)
    samples = [
        {"img.JPG": image, "json": json.dumps({"alt": "by alt", "caption": "by caption"}).encode()},
        {"jpeg": image, "json": b'{"alt": 7}', "txt": b"by txt"},
        {"jpeg": image, "json": b"{", "txt": b"by txt"},
    ]
    tar = pictures.tar(tmp_path / "a.tar", samples)
    plain, keyed = made([tar], tmp_path / "1"), made([tar], tmp_path / "2", caption_key="alt")
    assert (len(plain.images), plain.dropped) == (3, {})
    assert (len(keyed.images), keyed.dropped) == (1, {"no_caption": 2})
    assert keyed.captions.ids.tolist() == tokenise(["by alt"], 16).ids.tolist()


# ---- shares and streams


def numbered(index: Index, world: World) -> Indexed:
    loader = Loader(index.images, size=32, side=36, workers=1)
    return Indexed(Order(tuple(index.counts([3, 3])), 24, 7, (1.0, 2.0)), loader, index.captions, world)


def test_processes_share_the_batches_of_one(tars: list[str], tmp_path: Path) -> None:
    index = made(tars, tmp_path)
    alone, parts = numbered(index, ALONE), [numbered(index, World(rank, 3)) for rank in range(3)]
    for step in (0, 5, alone.steps_per_epoch + 1):
        whole, cut = alone.batch(step), [part.batch(step) for part in parts]
        assert torch.equal(torch.cat([part.pixels for part in cut]), whole.pixels)
        assert torch.equal(torch.cat([part.lengths for part in cut]), whole.lengths)


def test_a_feed_is_in_order_and_tells_how_long_it_was_waited_for(tars: list[str], tmp_path: Path) -> None:
    data = numbered(made(tars, tmp_path), ALONE)
    fed = list(feed(data, range(2, 5), torch.device("cpu")))
    assert [one.step for one in fed] == [2, 3, 4]
    assert all(torch.equal(one.batch.pixels, data.batch(one.step).pixels) and one.waited >= 0 for one in fed)
    assert list(feed(data, range(3, 3), torch.device("cpu"))) == []


def streamed(paths: list[str], world: World = ALONE, **more: Any) -> Streamed:
    known: dict[str, Any] = {
        "batch_size": 8,
        "epoch_samples": 40,
        "seed": 1,
        "size": 32,
        "side": 36,
        "context_length": 16,
    }
    return Streamed(tuple(paths), **known | more, world=world)


def packed(tars: list[str], folder: Path) -> list[str]:
    """The same tars, compressed and from a pipe."""
    out = []
    for number, tar in enumerate(tars[:2]):
        path = folder / f"{number}.tar.gz"
        path.write_bytes(gzip.compress(Path(tar).read_bytes()))
        out.append(str(path))
    return [*out, f"pipe:cat {tars[2]}"]


def test_streams_give_every_pair_of_a_pass_once(
    tars: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BUFFER", 10)
    data = streamed(packed(tars, tmp_path), epoch_samples=150)
    pairs = data._drawn(0)
    numbers = [next(pairs).number // 4096 for _ in range(150)]
    assert sorted(numbers[:75]) == list(range(75)) and sorted(numbers[75:]) == list(range(75, 150))
    assert numbers[:75] != sorted(numbers[:75])


def test_a_stream_goes_on_at_any_step(tars: list[str], tmp_path: Path) -> None:
    paths = packed(tars, tmp_path)
    straight = streamed(paths)
    batches = [straight.batch(step) for step in range(12)]
    for step in (3, 5, 11):
        again = streamed(paths).batch(step)
        assert torch.equal(again.pixels, batches[step].pixels) and torch.equal(again.tokens, batches[step].tokens)
    assert not torch.equal(batches[0].pixels, batches[5].pixels)  # another epoch, another order


def test_streams_are_dealt_to_processes(tars: list[str], tmp_path: Path) -> None:
    paths = packed(tars, tmp_path)
    parts = [streamed(paths, World(rank, 2)).batch(0) for rank in range(2)]
    assert [len(part) for part in parts] == [4, 4]
    assert not torch.equal(parts[0].pixels, parts[1].pixels)


def test_corrupt_and_useless_samples_of_a_stream_are_passed_over_and_counted(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    good = [{"jpg": pictures.picture("red disc", random), "json": b'{"alt": "red"}'} for _ in range(9)]
    bad = [{"jpg": b"\xff\xd8\xffnothing", "json": b'{"alt": "red"}'}, {"json": b"{}"}, {"jpg": b"x", "json": b"{}"}]
    path = f"pipe:cat {pictures.tar(tmp_path / 'a.tar', [*good[:4], *bad, *good[4:]])}"
    data = streamed([path], batch_size=4, epoch_samples=8, caption_key="alt")
    batches = [data.batch(step) for step in range(6)]
    assert data.dropped == {"no_image": data.dropped["no_image"], "no_caption": data.dropped["no_image"]}
    assert data.corrupt
    # one that goes on knows which were corrupt, and so where it stood
    again = streamed([path], batch_size=4, epoch_samples=8, caption_key="alt")
    again.corrupt.update(data.corrupt)
    assert torch.equal(again.batch(5).pixels, batches[5].pixels)


def test_streams_that_cannot_be_used(tars: list[str], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="say how many pairs make an epoch"):
        streamed(["pipe:true"], epoch_samples=0)
    with pytest.raises(RecipeError, match="1 streams for 2 processes"):
        streamed(["pipe:true"], World(0, 2))
    with pytest.raises(EmptyError, match="no sample with an image and a caption"):
        streamed([f"pipe:cat {pictures.tar(tmp_path / 'a.tar', [{'txt': b'a'}])}"]).batch(0)
    (tmp_path / "b.tar.gz").write_bytes(gzip.compress(b"no tar" * 400))
    with pytest.raises(InputError, match=r"b.tar.gz: not a tar that can be read"):
        streamed([str(tmp_path / "b.tar.gz")]).batch(0)
