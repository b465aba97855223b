"""README.md: the dataset card, whose head says to Hugging Face `datasets` what it would otherwise guess."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from witbuild.sample.features import ROWS, card_features, tar_features

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator

    from witbuild.release.about import About
    from witbuild.release.dataset import Dataset

_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"),
          (10**8, "10M<n<100M"), (10**9, "100M<n<1B"))  # fmt: skip
_LICENCES_SHOWN = 20


def card(dataset: Dataset, about: About, licences: Counter[str], funnel: Iterable[tuple[str, int, str]]) -> str:
    """Return the card.

    Args:
        dataset: what it is about.
        about: what its maker says.
        licences: evidence -> samples.
        funnel: (stage, rows out, what was dropped) in the order of the work; may be empty.
    """
    head = yaml.safe_dump(front(dataset, about), sort_keys=False, allow_unicode=True, width=120)
    return f"---\n{head}---\n\n" + "\n".join(_body(dataset, about, licences, list(funnel)))


def front(dataset: Dataset, about: About) -> dict[str, Any]:
    """Return the card's head: licence, features, splits, configurations."""
    features = tar_features(dataset.image_format) if dataset.in_tars else card_features(ROWS)
    splits = [_split(name, total) for name, total in dataset.splits.items()]
    files = [{"split": name, "path": _glob(total["pattern"])} for name, total in dataset.splits.items()]
    return {
        "pretty_name": about.name,
        "license": "other",
        "license_name": about.licence or "each-image-its-own",
        "license_link": "LICENSES.parquet",
        "task_categories": ["zero-shot-image-classification", "image-to-text"],
        "size_categories": [size_category(dataset.samples)],
        "dataset_info": {"config_name": "default", "features": features, "splits": splits},
        "configs": [{"config_name": "default", "data_files": files}],
    }


def _split(name: str, total: Any) -> dict[str, Any]:
    return {"name": name, "num_bytes": total["bytes"], "num_examples": total["samples"]}


def _glob(pattern: str) -> str:
    """Return a pattern in braces with a star.

    Example:
        >>> _glob("data/train-{00000..00003}-of-00004.tar")
        'data/train-*-of-00004.tar'
    """
    before, _, rest = pattern.partition("{")
    return f"{before}*{rest.partition('}')[2]}"


def size_category(samples: int) -> str:
    """Return the Hub's word for so many samples.

    Example:
        >>> size_category(999), size_category(1000), size_category(400_000_000)
        ('n<1K', '1K<n<10K', '100M<n<1B')
    """
    return next((name for limit, name in _SIZES if samples < limit), "1B<n<10B")


def _body(dataset: Dataset, about: About, licences: Counter[str], funnel: list[tuple[str, int, str]]) -> Iterator[str]:
    yield f"# {about.name}\n"
    yield f"{about.description}\n"
    yield f"{dataset.samples:,} samples in {len(dataset.shards):,} shards.\n"
    yield "| split | samples | shards | bytes | pattern |\n|---|---:|---:|---:|---|"
    for name, total in dataset.splits.items():
        numbers = f"{total['samples']:,} | {total['shards']:,} | {total['bytes']:,}"
        yield f"| {name} | {numbers} | `{total['pattern']}` |"
    yield from _made(funnel)
    yield from _licences(licences)
    yield "\n## Files\n"
    yield "- `croissant.json`: the data set in the Croissant format 1.0, each shard with its sha256"
    yield "- `metadata/`: each shard's records with the sha256 of every sample" if dataset.in_tars else _ROWS_TOO
    yield "- `datacomp-uids.npy`: the samples' uids, `u8,u8`, sorted"
    yield "- `manifest.json`: every file with its sha256 and one Merkle root; `witbuild verify .` recomputes all\n"


_ROWS_TOO = "- `metadata/`: the records without the images, with the sha256 of every sample"


def _made(funnel: list[tuple[str, int, str]]) -> Iterator[str]:
    if funnel:
        yield "\n## How it was made\n"
        yield "| stage | rows out | dropped |\n|---|---:|---|"
        yield from (f"| {stage} | {rows:,} | {dropped} |" for stage, rows, dropped in funnel)


def _licences(licences: Counter[str]) -> Iterator[str]:
    """Yield the commonest licences; the evidence is a stranger's text, so it is shown as code, on one line."""
    yield "\n## Licences\n"
    yield "What was found beside each image; `LICENSES.parquet` lists the samples. No claim is made beyond that.\n"
    yield "| evidence | samples |\n|---|---:|"
    ranked = sorted(licences.items(), key=lambda item: (-item[1], item[0]))
    for licence, samples in ranked[:_LICENCES_SHOWN]:
        yield f"| {_quoted(licence) or 'none found'} | {samples:,} |"
    if rest := ranked[_LICENCES_SHOWN:]:
        yield f"| {len(rest):,} others | {sum(samples for _, samples in rest):,} |"


def _quoted(text: str) -> str:
    """Return a text as code in a table's cell.

    Example:
        >>> _quoted("a|b" + chr(10) + "`c`")
        "`a/b 'c'`"
    """
    one_line = " ".join(text.split()).replace("`", "'").replace("|", "/")
    return f"`{one_line[:100]}`" if one_line else ""
