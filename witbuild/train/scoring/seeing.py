"""What the stages share that show fetched images to a model: which model, and how it runs."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from witbuild.stage import MapStage, digested, runtime


class Seeing(MapStage):
    """Shows the images of fetched pairs to a model."""

    reads: ClassVar = ("pairs", "images")
    reproducible: ClassVar = False

    folder: str = digested("")
    """Folder of a model in open_clip's form: `open_clip_config.json` and its weights."""
    model: str = ""
    """Without a folder, open_clip's NAME/WEIGHTS, such as `ViT-B-32-quickgelu/openai`, or `hf-hub:OWNER/NAME`."""
    batch_size: int = Field(64, ge=1)
    """Images that the model sees at a time."""
    device: str = runtime("auto")
    """auto, cpu, cuda or cuda:1; auto takes CUDA where there is some."""
    threads: int = runtime(1, ge=0)
    """CPU threads of a task's network; 0: as many as the process may use."""

    @model_validator(mode="after")
    def _one_model(self) -> Self:
        if not (self.folder or self.model):
            raise ValueError(
                "name a model: `folder: PATH`, or `model: NAME/WEIGHTS` of open_clip such as ViT-B-32-quickgelu/openai"
            )
        return self

    def check(self) -> None:
        """Raise when the model or torch is not there."""
        from witbuild.train.stage import needs_torch

        needs_torch(self.name)
        from witbuild.train.scoring import clip

        clip.check(self.folder, self.model)
