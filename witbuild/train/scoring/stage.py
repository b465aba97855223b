"""The stage `score`: models look at the fetched pairs, and what they say is written into columns."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, Self

from pydantic import model_validator

from witbuild.stage import Part, Task, digested
from witbuild.train.scoring.seeing import Seeing

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa
    from torch import nn

    from witbuild.train.scoring.clip import Clip

    Floats = npt.NDArray[np.float32]

What = Literal["unsafe", "watermark", "aesthetic", "face"]
DECIMALS = 4
"""Of a score: what lies beyond differs from machine to machine."""


class Score(Seeing):
    """Score fetched pairs by models: how well image and caption agree, and what heads say of the image."""

    name: ClassVar = "score"
    output: ClassVar = "pairs"

    clip: bool = True
    """Write `clip_score`, the cosine of image and caption."""
    heads: dict[What, str] = digested({})
    """Score (unsafe, watermark, aesthetic, face) -> file of a head on the image's features, a state dict."""
    relu: tuple[What, ...] = ("unsafe", "watermark", "face")
    """Heads with a ReLU between their layers; LAION's aesthetic ones have none."""
    sigmoid: tuple[What, ...] = ()
    """Heads whose last layer gives logits."""
    languages: tuple[str, ...] = ()
    """Score only pairs whose caption is of one of these languages; none: all that are not in `other_than`."""
    other_than: tuple[str, ...] = ()
    """Leave pairs as they are whose caption is of one of these languages."""

    @model_validator(mode="after")
    def _something_to_say(self) -> Self:
        if not (self.clip or self.heads):
            raise ValueError("nothing to do; set `clip: true` or name `heads`")
        return self

    def check(self) -> None:
        """Raise when the model, a head or torch is not there."""
        from witbuild.errors import InputError
        from witbuild.io import store

        super().check()
        for what, path in self.heads.items():
            if not store.exists(path):
                raise InputError(f"{path}: no such file; it is the head of {what}_score (stage score, `heads`)")

    def apply(self, table: pa.Table, task: Task) -> Part:
        """Score the pairs of a part, batch by batch, in the order of their images."""
        import numpy as np

        from witbuild.stages.filter.languages import with_languages
        from witbuild.stages.shard.images import in_image_order

        table = with_languages(table) if self.languages or self.other_than else table
        mine = in_image_order(table, self._spoken(table))
        found = {name: np.full(table.num_rows, np.nan, np.float32) for name in self._columns()}
        for start in range(0, mine.size, self.batch_size):
            rows = mine[start : start + self.batch_size]
            for name, scores in self._batch(_models(self), table.take(rows), task.sources["images"]).items():
                found[name][rows] = scores
        return Part(_with_scores(table, found, mine))

    def _columns(self) -> list[str]:
        return [*(["clip_score"] if self.clip else []), *(f"{what}_score" for what in self.heads)]

    def _spoken(self, table: pa.Table) -> npt.NDArray[np.bool_]:
        """Say of each pair whether its caption's language is to be scored."""
        import numpy as np

        from witbuild.text.langid import is_one_of

        if not (self.languages or self.other_than):
            return np.ones(table.num_rows, np.bool_)
        tags = table["language"].to_pylist()
        asked = {tag: not self.languages or is_one_of(tag, self.languages) for tag in set(tags)}
        return np.array([asked[tag] and not is_one_of(tag, self.other_than) for tag in tags], np.bool_)

    def _batch(self, models: _Models, rows: pa.Table, paths: tuple[str, ...]) -> dict[str, Floats]:
        """Return the scores of some pairs; NaN where the image cannot be decoded."""
        import numpy as np

        from witbuild.stages.shard.images import read_images

        features, good = models.clip.images(read_images(rows, paths), self.batch_size)
        out = {name: np.full(rows.num_rows, np.nan, np.float32) for name in self._columns()}
        if good and self.clip:
            texts = models.clip.texts(rows["caption"].to_pylist(), self.batch_size)[good]
            out["clip_score"][good] = (features * texts).sum(dim=1).numpy()
        for what, head in models.heads.items() if good else ():
            out[f"{what}_score"][good] = head(features)[:, 0].numpy()
        return {name: scores.round(DECIMALS) for name, scores in out.items()}


class _Models(NamedTuple):
    clip: Clip
    heads: dict[What, nn.Sequential]


@lru_cache(maxsize=2)
def _loaded(folder: str, name: str, heads: tuple[tuple[What, str, bool, bool], ...], device: str) -> _Models:
    """Return the models; a process loads them once, not once a task."""
    import torch

    from witbuild.train.scoring.clip import load
    from witbuild.train.scoring.heads import read_head

    clip = load(folder=folder, name=name, device=torch.device(device))
    features = clip.texts(["a"], 1).shape[1]
    read = {what: read_head(path, features, relu=relu, sigmoid=sigmoid) for what, path, relu, sigmoid in heads}
    return _Models(clip, read)


def _models(stage: Score) -> _Models:
    from witbuild.train.device import choose

    heads = ((what, path, what in stage.relu, what in stage.sigmoid) for what, path in stage.heads.items())
    device = str(choose(stage.device, stage.threads))
    return _loaded(stage.folder, stage.model, tuple(sorted(heads)), device)


def _with_scores(table: pa.Table, found: dict[str, Floats], mine: npt.NDArray[np.int64]) -> pa.Table:
    """Return the table with the scores of some rows in place of those that they had; NaN becomes null."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    asked = np.zeros(table.num_rows, np.bool_)
    asked[mine] = True
    for name, scores in found.items():
        new = pa.array(scores, pa.float32(), mask=np.isnan(scores))
        merged = pc.if_else(pa.array(asked), new, table[name].combine_chunks())
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), merged)
    return table
