"""Balance: the head queries are flattened, the tail stays as it is.

    pairs ─> count ─> sum ─> charge ─> sum_charges ─> [coin ─>] cut ─> keep ─> pairs ─> recount ─> curve

parameters.py  what each step knows       count.py  matches and charges of each query
cut.py         coins, and the cuts        keep.py   pairs judged by the cuts; the curve
read.py        the tables as arrays

Between the parts pass counts, and coins of the pairs whose queries are over the limit; what decides is the table of
cuts, one row a query. docs/balance.md has the modes' formulas and argues the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator

from witbuild.stages.balance.count import Charge, Count, Recount, Sum, SumCharges
from witbuild.stages.balance.cut import IndependentCut, QuotaCoins, QuotaCut, StrictCoins, StrictCut
from witbuild.stages.balance.keep import Curve, Keep
from witbuild.stages.balance.parameters import Limited, Thrown

if TYPE_CHECKING:
    from witbuild.stage import Stage

_CUTTING: dict[str, tuple[type[Limited], ...]] = {
    "independent": (IndependentCut,),
    "quota": (QuotaCoins, QuotaCut),
    "strict": (StrictCoins, StrictCut),
}


class Balance(Thrown):
    """Keeps at most `limit` pairs a query, chosen by coins: queries under the limit keep all of theirs."""

    name: ClassVar[str] = "balance"
    reads: ClassVar[tuple[str, ...]] = ("pairs", "queries")
    output: ClassVar[str] = "pairs"

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if self.target_pairs is not None and self.tail_share is not None:
            raise ValueError("target_pairs and tail_share both choose the limit; give one of them")
        if self.target_pairs is not None and self.mode != "quota":
            raise ValueError("target_pairs needs mode quota, whose result is known from counts alone; use tail_share")
        return self

    def steps(self) -> tuple[Stage, ...]:
        """Return the steps: count, charge, cut as the mode says, keep, and count again."""
        kinds: tuple[type[Stage], ...] = (Count, Sum, Charge, SumCharges, *_CUTTING[self.mode], Keep, Recount, Curve)
        return tuple(self.step(kind) for kind in kinds)
