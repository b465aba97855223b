"""A model that predicts texts from images: an image encoder and a head, no text encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from torch import nn
from torch.nn import functional

from witbuild.train.grids import grid
from witbuild.train.heads import CaptionHead

if TYPE_CHECKING:
    from torch import Tensor

    from witbuild.train.captions import Captions
    from witbuild.train.heads import Head


class Predictor(nn.Module):
    """An image encoder and a head."""

    def __init__(self, visual: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.visual, self.head = visual, head

    @property
    def reader(self) -> Head:
        """The head, as what it is."""
        return cast("Head", self.head)

    def see(self, pixels: Tensor) -> Tensor:
        """Return what the head wants of images."""
        return self.reader.see(self.visual, pixels)

    def encode_image(self, pixels: Tensor, normalize: bool = False) -> Tensor:  # noqa: FBT001, FBT002 (open_clip's)
        """Return vectors of images, as unit rows if asked: the encoder's own, for captioning the mean of its grid."""
        captions = isinstance(self.head, CaptionHead)
        features: Tensor = grid(self.visual, pixels).mean(dim=1) if captions else self.visual(pixels)
        return functional.normalize(features, dim=-1) if normalize else features

    def prepare(self, captions: Captions) -> None:
        """Take the words to be predicted from captions."""
        self.reader.vocabulary.fill(captions)
