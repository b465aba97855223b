"""Write what a data set needs to be handed on, each file whole or not at all, the manifest last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from witbuild.errors import VerificationError
from witbuild.io import store
from witbuild.io.manifest import dumps
from witbuild.io.run import RECIPE, Run
from witbuild.release import folder
from witbuild.release.about import About
from witbuild.release.card import card
from witbuild.release.croissant import croissant
from witbuild.release.dataset import FOLDER, Dataset
from witbuild.release.licences import write_licences
from witbuild.release.subset import write_subset

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN = ("pairs", "samples")


def release(path: str, **said: str) -> str:
    """Write the release files of a run's data set and return the Merkle root over all its files.

    Args:
        path: a run directory, or a data set's folder.
        said: fields of `About` to set; those left out stay as an earlier release had them.

    Raises:
        InputError: there is no data set.
        VerificationError: a shard is not what the index says.
    """
    dataset = Dataset.find(path)
    about = About.load(dataset.root).changed(**said)
    store.remove(dataset.path(folder.MANIFEST))
    about.save(dataset.root)
    with store.commit(dataset.path("LICENSES.parquet")) as partial:
        licences = write_licences(partial, dataset)
    with store.commit(dataset.path("datacomp-uids.npy")) as partial:
        write_subset(partial, dataset)
    store.commit_bytes(dataset.path("croissant.json"), dumps(croissant(dataset, about)))
    store.commit_bytes(dataset.path("README.md"), card(dataset, about, licences, funnel(dataset)).encode())
    root = folder.seal(dataset.root)
    _check(dataset)
    return root


def _check(dataset: Dataset) -> None:
    """Hold the shards, as they were just hashed, to the index that says what was written."""
    found = {file.path: file.sha256 for file in folder.load(dataset.root)}
    wrong = [shard.path for shard in dataset.shards if found.get(shard.path) != shard.sha256]
    if wrong:
        store.remove(dataset.path(folder.MANIFEST))
        raise VerificationError(
            f"{dataset.root}: {len(wrong)} shards are not what index.json says (first: {wrong[0]}); nothing was "
            "released. Run shard again: --restart-from shard"
        )


def funnel(dataset: Dataset) -> Iterator[tuple[str, int, str]]:
    """Yield (stage, rows out, drops) of the run that a data set lies in; nothing when it lies in none."""
    parent = dataset.root.rpartition("/")[0]
    if dataset.root != store.join(parent, FOLDER) or not store.exists(store.join(parent, RECIPE)):
        return
    for stage, manifest in Run(parent).manifests():
        if manifest.output in _SHOWN:
            dropped = ", ".join(f"{reason} {rows:,}" for reason, rows in manifest.dropped.items())
            yield stage.name.partition("-")[2], manifest.rows, dropped
