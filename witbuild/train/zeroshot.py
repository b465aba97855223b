"""Zero-shot classification and retrieval from unit features (Radford et al. 2021, sections 3.1 and 3.1.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

_ROWS = 1024


def prompts(name: str, templates: Sequence[str]) -> list[str]:
    """Return a class's name in every template.

    Example:
        >>> prompts("red ring", ["a photo of a {}.", "{}"])
        ['a photo of a red ring.', 'red ring']
    """
    return [template.replace("{}", name) for template in templates]


def classifier(encode: Callable[[list[str]], Tensor], names: Sequence[str], templates: Sequence[str]) -> Tensor:
    """Return a unit vector a class, (C, D): the mean of its prompts' unit features, made a unit again.

    Args:
        encode: texts -> unit features.
        names: of C classes.
        templates: with {} where a name goes.
    """
    texts = [text for name in names for text in prompts(name, templates)]
    features = encode(texts).reshape(len(names), len(templates), -1)
    return functional.normalize(features.mean(dim=1), dim=-1)


def hits_of(scores: Tensor, labels: Tensor, most: Sequence[int]) -> list[float]:
    """Return for each k in `most` the share of images whose class is among the k that score best.

    Args:
        scores: (n, C).
        labels: int64 of shape (n,), numbers of classes.
        most: each k; one larger than C counts as C.

    Example:
        >>> hits_of(torch.eye(3), torch.tensor([0, 1, 0]), [1, 3])
        [0.6666666666666666, 1.0]
    """
    return _shares(_ranks(scores, labels), most)


def recall(queries: Tensor, gallery: Tensor, most: Sequence[int]) -> list[float]:
    """Return for each k the share of queries whose own item, the one of the same row, is among the k nearest.

    Example:
        >>> recall(torch.eye(2), torch.eye(2).flip(0), [1, 2])
        [0.0, 1.0]
    """
    own = torch.arange(len(queries), device=queries.device)
    parts = zip(queries.split(_ROWS), own.split(_ROWS), strict=True)
    return _shares(torch.cat([_ranks(part @ gallery.T, rows) for part, rows in parts]), most)


def _ranks(cosines: Tensor, labels: Tensor) -> Tensor:
    """Return how many items come before the right one, a tie counted against it."""
    own = cosines.gather(1, labels[:, None])
    return (cosines >= own).sum(dim=1) - 1


def _shares(ranks: Tensor, most: Sequence[int]) -> list[float]:
    return [(ranks < k).double().mean().item() for k in most]
