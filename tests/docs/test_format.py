"""docs/format.md says what the schemas say; run as a script, this file writes its tables of fields anew."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest

from witbuild.sample.record import RECORD, SIDECAR
from witbuild.schema import SHARDS, TABLES
from witbuild.train.report import MEASURED

DOCUMENT = Path(__file__).parents[2] / "docs" / "format.md"


def fields(schema: pa.Schema) -> str:
    """Return a Markdown table of a schema's fields."""
    head = "| field | type | |\n|---|---|---|\n"
    return head + "".join(f"| `{field.name}` | {kind(field)} | {comment(field)} |\n" for field in schema)


def kind(field: pa.Field) -> str:
    name = f"list of {field.type.value_type}" if pa.types.is_list(field.type) else str(field.type)
    return f"{name}, may be null" if field.nullable else name


def comment(field: pa.Field) -> str:
    return field.metadata[b"comment"].decode().replace("|", "\\|")


def blocks() -> dict[str, str]:
    more = pa.schema([field for field in SIDECAR if field.name not in RECORD.names])
    tables = "\n".join(f"### {name}\n\n{fields(schema)}" for name, schema in TABLES.items())
    log = pa.schema(
        [
            pa.field(name, pa.float64(), nullable=name == "mfu", metadata={"comment": text})
            for name, text in MEASURED.items()
        ]
    )
    return {
        "log": fields(log),
        "record": fields(RECORD),
        "sidecar": fields(more),
        "shards": fields(SHARDS),
        "tables": tables,
    }


def written(text: str, name: str, block: str) -> str:
    return re.sub(rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda m: f"{m[1]}\n{block}\n{m[2]}", text, flags=re.DOTALL)


@pytest.mark.parametrize("name", blocks())
def test_the_document_has_the_fields_of_the_code(name: str) -> None:
    text = DOCUMENT.read_text()
    assert f"<!-- {name} -->" in text
    assert written(text, name, blocks()[name]) == text, "run: python tests/docs/test_format.py"


def test_every_field_has_a_comment() -> None:
    schemas = [RECORD, SIDECAR, *TABLES.values()]
    assert all(len(comment(field)) > 1 for schema in schemas for field in schema)


if __name__ == "__main__":
    content = DOCUMENT.read_text()
    for key, value in blocks().items():
        content = written(content, key, value)
    DOCUMENT.write_text(content)
