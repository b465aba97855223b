"""docs/harvest.md names every source, every list and every reason of a loss."""

from __future__ import annotations

import re
from pathlib import Path

from witbuild.schema import PAIRS
from witbuild.sources import SOURCES
from witbuild.sources.presets import PRESETS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "harvest.md").read_text()
REASON = re.compile(r"(?:\.drop\(|Damage\(|dropped\[|return |RefusedError\()\"([a-z_]+)\"")


def test_every_source_and_list_is_described() -> None:
    assert [name for name in (*SOURCES, *PRESETS) if f"`{name}`" not in TEXT] == []


def test_the_table_of_columns_names_every_source_and_every_column_that_one_can_fill() -> None:
    head, _, *rows = re.findall(r"^\|.*", TEXT.split("## What each source fills")[1].split("\n## ")[0], re.MULTILINE)
    assert re.findall(r"`(\w+)`", head) == ["warc", "wat", "urls", "site", "html", "folder", "commons", "openverse"]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    known = PAIRS.names[: PAIRS.names.index("query_ids")]
    assert sorted(named) == sorted(name for name in known if not name.endswith("_score"))


def test_every_reason_is_described() -> None:
    files = [ROOT / "witbuild" / "web" / "warc.py", ROOT / "witbuild" / "web" / "arc.py"]
    files += [ROOT / "witbuild" / "web" / "asking.py"]
    files += [
        ROOT / "witbuild" / "sources" / f"{name}.py"
        for name in (
            "archives",
            "candidates",
            "commoncrawl",
            "crawl",
            "folder",
            "site",
            "url_list",
            "warc",
            "api",
            "commons",
            "openverse",
        )
    ]
    reasons = {reason for file in files for reason in REASON.findall(file.read_text())}
    assert len(reasons) > 15
    assert [reason for reason in sorted(reasons) if f"`{reason}`" not in TEXT] == []
