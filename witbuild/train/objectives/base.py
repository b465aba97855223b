"""What every objective is: a part that each pair has by itself, and a part that couples the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn

    from witbuild.train.world import World


class Objective(Protocol):
    """A loss, cut so that a large batch can be encoded piece by piece and a batch over processes be gathered.

    What `encode` returns has the pairs as rows; `loss` sees the rows of the whole batch. For a contrastive objective
    the rows are features, for a predictive one each pair's own loss. All parameters are the model's.
    """

    def encode(self, model: nn.Module, pixels: Tensor, tokens: Tensor) -> tuple[Tensor, ...]:
        """Return rows of some pairs, float, each of them with a gradient.

        Args:
            model: that the configuration describes.
            pixels: normalised, float of shape (B, 3, S, S).
            tokens: ids, int64 of shape (B, L), padded with 0.
        """

    def loss(self, model: nn.Module, rows: tuple[Tensor, ...], tokens: Tensor, world: World) -> Tensor:
        """Return this process's share of the loss of the whole batch, nats; the shares of all processes add up to it.

        Args:
            model: whose scale and bias count here.
            rows: of all of this process's pairs, perhaps of half precision.
            tokens: of the same pairs.
            world: of processes.
        """
