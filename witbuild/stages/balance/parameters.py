"""The parameters of balance, as far as each step needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from witbuild.stages.slices import Sliced

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Limited(Sliced):
    """What a step knows that needs the limit."""

    limit: int = Field(20_000, ge=1)
    """Pairs that a query may keep."""
    target_pairs: int | None = Field(None, ge=1)
    """Instead of `limit`, the largest limit at which at most so many pairs stay; in mode quota."""
    tail_share: float | None = Field(None, gt=0, lt=1)
    """Instead of `limit`, the largest limit at which queries under it hold at most this share of all matches."""

    def limit_from(self, counts: npt.NDArray[np.int64], charges: npt.NDArray[np.int64]) -> int:
        """Return the limit, given or chosen from matches and charges of each query."""
        from witbuild.sample.limits import limit_for_pairs, limit_for_tail

        if self.target_pairs is not None:
            return limit_for_pairs(charges, self.target_pairs)
        return self.limit if self.tail_share is None else limit_for_tail(counts, self.tail_share)


class Thrown(Limited):
    """What a step knows that throws coins."""

    mode: Literal["quota", "independent", "strict"] = "quota"
    """What is limited: pairs charged to their rarest query, matches on average, or occurrences in the result."""
    seed: int = Field(1, ge=0)
    """Of the coins."""
