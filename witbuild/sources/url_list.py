"""URL lists: rows of an image's address and its captions, in the columns of a published list or of any other."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from witbuild.errors import InputError
from witbuild.sources import rows
from witbuild.sources.archives import deal
from witbuild.sources.base import Source, files, named
from witbuild.sources.candidates import Candidates, Place
from witbuild.sources.conditions import Condition
from witbuild.sources.presets import PRESETS, Columns
from witbuild.web import urls
from witbuild.web.caption import clean
from witbuild.web.page import pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from witbuild.stage import Task

_HEX = {"expected_sha256": 64, "expected_md5": 32}
_LARGEST = 2.0**63
_SCORES = frozenset({"clip_score", "unsafe_score", "watermark_score", "aesthetic_score", "face_score"})


@dataclass(frozen=True, kw_only=True)
class UrlList(Source):
    """Lists in files; more tasks than files cut each file in pieces.

    Attributes:
        preset: name of a published list.
        url_column: instead of the preset's.
        caption_column: instead of the preset's.
        where: conditions that a row must fulfil.
        carry: columns that travel with the pair, in any case.
    """

    preset: str
    url_column: str
    caption_column: str
    where: tuple[str, ...] = ()
    carry: tuple[str, ...] = ()

    def plan(self) -> Iterator[Task]:
        """Yield a task for each group of files, or for each piece of a file."""
        paths = tuple(path for name in self.inputs for path in _expand(name))
        pieces = max(1, -(-self.shards // len(paths))) if paths else 1
        groups = deal(paths, self.shards)
        cuts = [(group, {"piece": piece, "pieces": pieces}) for group in groups for piece in range(pieces)]
        yield from self.numbered(cuts)

    def harvest(self, task: Task) -> Candidates:
        """Read the task's files or its piece of one."""
        out = Candidates("list", task.arguments.get("limit"))
        for path in task.sources["input"]:
            self._file(path, task.arguments["piece"], task.arguments["pieces"], out)
        return out

    def _file(self, path: str, piece: int, pieces: int, out: Candidates) -> None:
        columns, conditions = self._columns(), [Condition.parse(text) for text in self.where]
        wanted = frozenset(
            [*columns.url, *columns.captions, *(one for many in columns.others.values() for one in many)]
            + [condition.column for condition in conditions]
            + [name.lower() for name in self.carry]
        )
        known = False
        for number, row in rows.read(path, wanted, columns.header, piece, pieces):
            if out.full:
                return
            if row is None:
                out.drop("bad_row")
                continue
            if not known:
                _check(path, columns, row)
                _check_carried(path, self.carry, row)
                known = True
            failed = next((condition.column for condition in conditions if not condition.holds(row)), None)
            if failed is None:
                _add(row, columns, Place(named(path), number), out, _carried(row, self.carry))
            else:
                out.drop(f"where_{failed}")

    def _columns(self) -> Columns:
        preset = PRESETS[self.preset]
        return Columns(
            url=(self.url_column.lower(),) if self.url_column else preset.url,
            captions=(self.caption_column.lower(),) if self.caption_column else preset.captions,
            header=preset.header,
            others=preset.others,
            page_base=preset.page_base,
        )


def _expand(name: str) -> list[str]:
    found = files(name)
    chosen = found if found == [name] else rows.lists(found)
    if not chosen:
        raise InputError(
            f"{name}: names no list" + (f", but {len(found)} other files" if found else "; there is no file")
        )
    return chosen


def _check(path: str, columns: Columns, row: dict[str, Any]) -> None:
    for option, names in (("url_column", columns.url), ("caption_column", columns.captions)):
        if not row.keys() & set(names):
            found = ", ".join(sorted(row)) or "none"
            raise InputError(
                f"{path}: expected one of the columns {', '.join(names)}, found {found}; name one with {option}"
            )


def _check_carried(path: str, names: tuple[str, ...], row: dict[str, Any]) -> None:
    """Refuse names that no column has; rows of JSON may each have others."""
    missing = [name for name in names if name.lower() not in row]
    if missing and not path.lower().removesuffix(".gz").endswith((".jsonl", ".json")):
        raise InputError(f"{path}: carry names {', '.join(missing)}, and the list has no such column; correct the name")


def _carried(row: dict[str, Any], names: tuple[str, ...]) -> str | None:
    """Return values of a row as a JSON object, in the order and by the names that were asked for.

    Example:
        >>> _carried({"id": 7, "tags": ["x"], "note": " two  words "}, ("ID", "tags", "note"))
        '{"ID":7,"note":"two words"}'
    """
    found = {name: value for name in names if (value := _value(row.get(name.lower()))) is not None}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")) if found else None


def _value(value: Any) -> str | float | None:
    """Return a text of at most 1,000 characters, a number or a truth value; None of anything else."""
    if isinstance(value, int | float):
        return value if abs(value) < _LARGEST else None
    text = str(value) if isinstance(value, date | Decimal) else _text(value)
    return clean(text)[:1_000] or None


def _add(row: dict[str, Any], columns: Columns, place: Place, out: Candidates, carried: str | None) -> None:
    found = _text(_first(row, columns.url))
    parsed = urls.parse(found.strip())
    if parsed is None:
        out.drop("data_url" if found[:5].lower() == "data:" else "bad_url" if found else "no_url")
        return
    captions = [text for name in columns.captions if (text := _text(row.get(name)))]
    if not captions:
        out.drop("no_caption")
    others = {column: _other(column, _first(row, names)) for column, names in columns.others.items()}
    if columns.page_base and isinstance(page := others.get("page_url"), str):
        others["page_url"] = urls.resolve(columns.page_base, page)
    for caption in captions:
        out.add(parsed.href, caption, caption_source="list", place=place, carried=carried, **others)


def _first(row: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _other(column: str, value: Any) -> object:
    """Return a carried value as the table wants it; None when it is not what it should be."""
    if column in ("width", "height"):
        return pixels(str(int(value))) if isinstance(value, int | float) and 0 < value < 1e9 else pixels(_text(value))
    if column in _SCORES:
        return _number(value)
    text = clean(_text(value))
    if column in _HEX:
        return text.lower() if len(text) == _HEX[column] and text.isalnum() else None
    return text[:1_000] or None


def _number(value: Any) -> float | None:
    """Return a finite number, given as one or as text; None when it is neither.

    Example:
        >>> _number(0.5), _number("0.25"), _number("nan"), _number(True), _number("UNLIKELY")
        (0.5, 0.25, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
