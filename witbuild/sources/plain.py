"""Text that others have cleaned, in parquet with a column `text`, as in huggingface.co/datasets/wikimedia/wikipedia."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from witbuild.errors import InputError
from witbuild.web.remote import open_read

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    import pyarrow.parquet as pq

COLUMN: Final = "text"
_ROWS = 512


def group_bytes(path: str) -> list[int]:
    """Return the bytes of each row group's texts, compressed.

    Raises:
        InputError: the file is no parquet, or has no column of texts.
    """
    with open_read(path) as stream:
        metadata = _opened(path, stream).metadata
        column = metadata.schema.to_arrow_schema().get_field_index(COLUMN)
        groups = (metadata.row_group(index) for index in range(metadata.num_row_groups))
        return [group.column(column).total_compressed_size for group in groups]


def read_texts(path: str, start: int, stop: int, dropped: Counter[str]) -> Iterator[bytes]:
    """Yield the texts of some row groups in UTF-8; `dropped` is told how many are not: empty_page, invalid_utf8."""
    import pyarrow as pa

    with open_read(path) as stream:
        batches = _opened(path, stream).iter_batches(_ROWS, row_groups=range(start, stop), columns=[COLUMN])
        try:
            for batch in batches:
                for text in batch[COLUMN].cast(pa.large_binary()).to_pylist():
                    reason = _unwanted(text or b"")
                    if reason:
                        dropped[reason] += 1
                    else:
                        yield text
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path}: row groups {start} to {stop - 1}: {error}; fetch the file again") from error


def _unwanted(text: bytes) -> str:
    """Return why a text is left out, or an empty string."""
    try:
        return "" if text.decode().strip() else "empty_page"
    except UnicodeDecodeError:
        return "invalid_utf8"


def _opened(path: str, stream: object) -> pq.ParquetFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(stream)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not readable as parquet ({error}); fetch it again") from error
    schema = file.schema_arrow
    kind = schema.field(COLUMN).type if COLUMN in schema.names else None
    if kind not in {pa.string(), pa.large_string()}:
        raise InputError(f"{path}: columns {', '.join(schema.names)}; expected one of strings named {COLUMN}")
    return file
