"""DataComp's subset file: the samples' uids as pairs of 64-bit numbers, sorted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from witbuild.sample.coins import key_halves

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from witbuild.release.dataset import Dataset

UIDS = np.dtype("u8,u8")
"""First and second half of a uid's 32 hexadecimal digits."""


def uids(dataset: Dataset) -> npt.NDArray[np.void]:
    """Return the uids of all samples, UIDS of shape (samples,), sorted; 16 bytes a sample are in memory."""
    out = np.empty(dataset.samples, UIDS)
    start = 0
    for shard in dataset.shards:
        halves = key_halves(dataset.records(shard, ["uid"])["uid"])
        out["f0"][start : start + len(halves)], out["f1"][start : start + len(halves)] = halves.T
        start += len(halves)
    return out[np.lexsort((out["f1"], out["f0"]))]


def write_subset(path: Path, dataset: Dataset) -> None:
    """Write the file that DataComp's tools take."""
    with path.open("wb") as stream:
        np.save(stream, uids(dataset), allow_pickle=False)
