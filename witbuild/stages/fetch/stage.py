"""The stage: cut by domain, then download."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from witbuild.stages.fetch.download import Download
from witbuild.stages.fetch.parameters import Fetching
from witbuild.stages.fetch.route import Route

if TYPE_CHECKING:
    from witbuild.stage import Inputs


class Fetch(Fetching):
    """Download the images of pairs, politely; check, shrink and re-encode them."""

    name: ClassVar = "fetch"
    reads: ClassVar = ("pairs",)
    output: ClassVar = "pairs"

    def steps(self) -> tuple[Route | Download, ...]:
        """Return the step that cuts by domain and the one that downloads."""
        self.check()
        return (
            Route(shards=self.shards),
            Download(**{name: getattr(self, name) for name in type(self).model_fields}),
        )

    def forecast(self, inputs: Inputs, workers: int) -> list[str]:
        """Return what the fetch would cost, for a person; nothing is asked of anybody."""
        from witbuild.stages.fetch.forecast import forecast, lines

        return lines(forecast(inputs["pairs"], self), workers)
