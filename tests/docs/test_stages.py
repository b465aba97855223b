"""docs/stages.md is what `witbuild stages` prints; `python tests/docs/test_stages.py` writes it anew."""

from __future__ import annotations

from pathlib import Path

from witbuild.cli.reference import describe
from witbuild.recipe import stage_class, stage_names

PAGE = Path(__file__).resolve().parents[2] / "docs" / "stages.md"
HEAD = """# Stages

Every stage with its parameters, from the docstrings: what `witbuild stages` prints. A parameter is a field of a
recipe's line and an option of the stage's command (`keep_original` is `--keep-original`).
"""


def page() -> str:
    return "\n\n".join([HEAD.rstrip(), *(describe(stage_class(name)) for name in stage_names())]) + "\n"


def test_the_page_says_what_the_stages_say() -> None:
    assert PAGE.read_text() == page(), "run: python tests/docs/test_stages.py"


if __name__ == "__main__":
    PAGE.write_text(page())
