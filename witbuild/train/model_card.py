"""README.md of a released model: made of what the run knows, so that nothing in it can be forgotten or made up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from witbuild.io import store, tables
from witbuild.io.manifest import loads
from witbuild.io.run import RECIPE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from witbuild.io.manifest import Manifest
    from witbuild.io.run import Run, StageFolder

_RUNTIME = ("device", "threads", "decode_threads", "checkpoint_every")
LIMITS = """\
- It learned from captions that strangers wrote on the web. It repeats their errors, their gaps and their prejudices;
  what it says of people, and of groups of people, must not decide anything about them.
- It knows the language of its captions, and names what they name. What is rare in the data set is poorly known.
- Its scores are measured on the sets named above and say little about other images: measure on yours
  (`witbuild eval --model . --data ...`), by group where there are any (`--groups`).
- Near-duplicates of evaluation images may be in the training data unless the data set's recipe has `decontaminate`.
"""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a run knows of a model.

    Attributes:
        name: of the model.
        licence: of the weights; "" is not said.
        parameters: of the stage train.
        folder: of that stage in the run.
        fingerprint: of that stage.
        upstream: kind of input -> fingerprint of what made it.
        root: Merkle root of the tables and tars of this run, or of the released data set that it was given; "" for
            neither.
        stages: (name, rows out) of the data set's stages, in order.
        steps: rows of the metrics.
        seen: samples.
        loss: the last one, nats.
        scores: rows of the scores, if the model has been evaluated.
        licences: evidence -> samples of the data set, most first, if it has been released.
    """

    name: str
    licence: str
    parameters: Mapping[str, Any]
    folder: str
    fingerprint: str
    upstream: Mapping[str, str]
    root: str
    stages: Sequence[tuple[str, int]]
    steps: int
    seen: int
    loss: float
    scores: Sequence[Mapping[str, Any]] = ()
    licences: Mapping[str, int] = field(default_factory=dict)


def gathered(run: Run, folder: StageFolder, manifest: Manifest, *, name: str, licence: str) -> Facts:
    """Return what a run knows of the model that one of its stages trained."""
    last = tables.read_all(run.paths(manifest, "metrics")).to_pylist()[-1]
    before = [one for _, one in run.manifests() if one.reproducible]
    evaluated = [
        one for _, one in run.manifests() if "scores" in {file.kind for part in one.parts for file in part.files}
    ]
    own = [one for one in evaluated if one.identity.upstream.get("model") == manifest.fingerprint]
    return Facts(
        name=name,
        licence=licence,
        parameters={key: value for key, value in manifest.identity.parameters.items() if key not in _RUNTIME},
        folder=folder.name,
        fingerprint=manifest.fingerprint,
        upstream=manifest.identity.upstream,
        root=run.merkle_root() if before else _released_root(run),
        stages=[(one.identity.name, one.rows) for one in before],
        steps=last["step"],
        seen=last["samples_seen"],
        loss=last["loss"],
        scores=[row for one in own for row in tables.read_all(run.paths(one, "scores")).to_pylist()],
        licences=_licences(run),
    )


def _released_root(run: Run) -> str:
    """Return the root that `witbuild release` gave the data set whose tars the run was given, or ""."""
    recipe = store.join(run.root, RECIPE)
    given = yaml.safe_load(store.read_bytes(recipe)).get("inputs", {}).get("tars", "") if store.exists(recipe) else ""
    places = [store.join(given, *below, "manifest.json") for below in ((), ("dataset",), ("..",))] if given else []
    found: dict[str, Any] = next((loads(path) for path in places if store.exists(path)), {})
    return str(found.get("root", ""))


def _licences(run: Run) -> dict[str, int]:
    """Return how many samples have which evidence, of a data set that `witbuild release` wrote into the run."""
    path = store.join(run.root, "dataset", "LICENSES.parquet")
    if not store.exists(path):
        return {}
    table = tables.read(path).group_by("licence").aggregate([("samples", "sum")])
    rows = sorted(table.to_pylist(), key=lambda row: (-row["samples_sum"], row["licence"]))
    return {row["licence"]: row["samples_sum"] for row in rows}


def card(facts: Facts, config: Mapping[str, Any], seed: int, obstacle: str) -> str:
    """Return the card.

    Args:
        facts: what the run knows.
        config: of the model, open_clip's.
        seed: of the first weights.
        obstacle: why transformers cannot load it, or "".
    """
    head = {
        "library_name": "open_clip",
        "pipeline_tag": "zero-shot-image-classification",
        "license": "other",
        "license_name": facts.licence or "not-said",
        "tags": ["clip", "witbuild"] + ([] if obstacle else ["transformers"]),
    }
    shown = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=120)
    return f"---\n{shown}---\n\n" + "\n".join(_body(facts, config, seed, obstacle)) + "\n"


def _body(facts: Facts, config: Mapping[str, Any], seed: int, obstacle: str) -> Iterator[str]:
    parameters = facts.parameters
    objective, size = parameters.get("objective", "clip"), config["vision_cfg"]["image_size"]
    yield f"# {facts.name}\n"
    yield f"`{parameters.get('model', '')}`, {size} pixels, trained by witbuild with the objective `{objective}`.\n"
    yield from _use(obstacle, ours=_ours(config))
    yield "\n## Data\n"
    yield from _data(facts)
    yield "\n## Training\n"
    yield f"{facts.steps:,} steps, {facts.seen:,} samples seen, last loss {facts.loss:.4f} nats; seed {seed}.\n"
    yield "| parameter | value |\n|---|---|"
    yield from (f"| {key} | {_cell(value)} |" for key, value in parameters.items() if value not in (None, "", [], {}))
    yield "\n## Evaluation\n"
    yield from _scores(facts.scores)
    yield "\n## Licence\n"
    yield from _licence(facts)
    yield f"\n## Limits\n\n{LIMITS}".rstrip()


def _ours(config: Mapping[str, Any]) -> bool:
    return "head_cfg" in config or "plain_conv" in config["vision_cfg"] or "bag_of_words" in config["text_cfg"]


def _use(obstacle: str, *, ours: bool) -> Iterator[str]:
    yield "## Use\n"
    yield "```python"
    if ours:
        yield "from witbuild.train.export import read_config, read_model  # pip install 'witbuild[train]'\n"
        yield 'config, _ = read_config("open_clip_config.json")'
        yield 'model = read_model(config, "open_clip_model.safetensors")'
    else:
        yield "import open_clip\n"
        yield 'model, _, preprocess = open_clip.create_model_and_transforms("local-dir:FOLDER")'
        yield 'tokenizer = open_clip.get_tokenizer("local-dir:FOLDER")'
    if not obstacle:
        yield "\nfrom transformers import CLIPModel, CLIPProcessor\n"
        yield 'model, processor = CLIPModel.from_pretrained("FOLDER"), CLIPProcessor.from_pretrained("FOLDER")'
    yield "```"
    if obstacle:
        yield f"\nNot in transformers: {obstacle}."


def _data(facts: Facts) -> Iterator[str]:
    if facts.root:
        yield f"Merkle root of the data set: `{facts.root}`. The same root means the same bytes."
    if facts.stages:
        yield "\nWhat it was made by:\n"
        yield "| stage | rows out |\n|---|---:|"
        yield from (f"| {stage} | {rows:,} |" for stage, rows in facts.stages)
    if not facts.root:
        yield "The tars came from outside of this run, without a manifest beside them."
    for kind, fingerprint in facts.upstream.items():
        yield f"\nInput `{kind}`: fingerprint `{fingerprint}`."
    yield f"\nStage `{facts.folder}`: fingerprint `{facts.fingerprint}`."


def _scores(scores: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not scores:
        yield "Not evaluated in this run."
        return
    yield "| set | measure | of | value | samples |\n|---|---|---|---:|---:|"
    for row in scores:
        spread = "" if row["deviation"] is None else f" ± {row['deviation']:.3f}"
        group = _cell(row["group"]) if row["group"] else "all"
        value = f"{row['value']:.4g}{spread}"
        yield f"| {_cell(row['task'])} | {_cell(row['metric'])} | {group} | {value} | {row['samples']:,} |"


def _licence(facts: Facts) -> Iterator[str]:
    yield f"Weights: {facts.licence or 'nothing is said; ask who gave them to you'}."
    yield "The images and captions that it learned from keep their makers' licences; none of them is in this folder."
    yield "`vocab.json` and `merges.txt` hold OpenAI's byte-pair vocabulary of CLIP (MIT)."
    if facts.licences:
        yield "\nEvidence found beside the images:\n\n| evidence | samples |\n|---|---:|"
        yield from (
            f"| {_cell(name) if name else 'none found'} | {count:,} |" for name, count in [*facts.licences.items()][:20]
        )


def _cell(value: object) -> str:
    """Return a value as code in a table's cell, on one line.

    Example:
        >>> _cell("a `b`")
        "`a 'b'`"
    """
    text = " ".join(str(value).split()).replace("`", "'").replace("|", "\\|")
    return f"`{text}`"
