"""docs/fetch.md names every reason and only parameters that there are."""

from __future__ import annotations

import re
from pathlib import Path

from witbuild.image import failure
from witbuild.stages.fetch.stage import Fetch
from witbuild.web import reasons

TEXT = (Path(__file__).parents[2] / "docs" / "fetch.md").read_text()


def test_every_reason_is_explained() -> None:
    words = set(re.findall(r"`(\w+)`", TEXT.partition("## Reasons")[2]))
    assert set(reasons.REASONS) | set(failure.REASONS) <= words


def test_named_parameters_exist() -> None:
    told = set(re.findall(r"`(max_\w+|min_\w+|\w+_seconds|per_host|respect|retries|give_up_after|\w+_hosts)`", TEXT))
    assert told
    assert told <= set(Fetch.model_fields)
