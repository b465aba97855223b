"""A trained model as measurements use it: on its device, with what it wants of images and texts."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from witbuild.train.captions import tokenise
from witbuild.train.features import over_images, text_features
from witbuild.train.heads import CaptionHead
from witbuild.train.model import build, context_length, padded
from witbuild.train.penultimate import penultimate
from witbuild.train.pixels import Loader
from witbuild.train.predictor import Predictor
from witbuild.train.zeroshot import classifier, prompts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor, nn

    from witbuild.train.index import Images


@dataclass(frozen=True)
class Encoder:
    """A model in evaluation mode, its configuration, and threads to decode images with."""

    model: nn.Module
    config: dict[str, Any]
    workers: int

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def over(self, images: Images, *functions: Callable[[Tensor], Tensor]) -> tuple[list[Tensor], list[int]]:
        """Return what functions of pixels make of the images that decode, and the numbers of those."""
        size = self.config["vision_cfg"]["image_size"]
        with closing(Loader(images, size=size, side=size, workers=self.workers)) as loader:
            return over_images(functions, loader, len(images), self.device)

    def image_features(self, pixels: Tensor) -> Tensor:
        """Return unit features."""
        features: Tensor = self.model.encode_image(pixels, normalize=True)
        return features

    def probed_features(self, pixels: Tensor) -> Tensor:
        """Return the features before the projection."""
        return penultimate(self.model, pixels).float()

    def text_features(self, texts: Sequence[str]) -> Tensor:
        """Return unit features of texts."""
        return text_features(self.model, texts, context_length(self.config), padded=padded(self.config))

    def judge(self, names: Sequence[str], templates: Sequence[str]) -> Callable[[Tensor], Tensor]:
        """Return the zero-shot classifier of some classes: pixels -> a score for each class, (B, C).

        Two towers: cosines with the classes' vectors. A captioner: the mean over templates of the log likelihood of the
        prompt as the image's caption. A predictor of words: the mean log probability of the words of the class's name.
        """
        if not isinstance(self.model, Predictor):
            with torch.no_grad():
                classes = classifier(self.text_features, names, templates)
            return lambda pixels: self.image_features(pixels) @ classes.T
        predictor = self.model
        forms = templates if isinstance(predictor.head, CaptionHead) else ["{}"]
        texts = tokenise([text for name in names for text in prompts(name, forms)], context_length(self.config))
        tokens = torch.from_numpy(texts.batch(range(len(texts.ends)))).to(self.device)

        def likelihood(pixels: Tensor) -> Tensor:
            found = predictor.reader.likelihoods(predictor.see(pixels), tokens)
            return found.unflatten(1, (len(names), len(forms))).mean(dim=2)

        return likelihood

    def untrained(self, seed: int) -> Encoder:
        """Return the model that training began with."""
        model = build(self.config, seed)
        if isinstance(model, Predictor) and isinstance(self.model, Predictor):
            model.reader.vocabulary.ids.copy_(self.model.reader.vocabulary.ids)
        return Encoder(model.to(self.device).eval(), self.config, self.workers)
