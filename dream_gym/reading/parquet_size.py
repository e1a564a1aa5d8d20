"""The unpacked size of a Parquet file, without unpacking it: a kilobyte may hold a gigabyte.

Only the footer and the headers of the pages are read. They are Thrift structures in the compact
protocol, as https://parquet.apache.org/docs/file-format/ describes them.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from typing import Any

MAX_ROWS = 1_000_000
MAX_UNPACKED_BYTES = 256 * 2**20
_MAX_FOOTER_BYTES = 2**20
_MAX_PAGES = 20_000
_MAX_DEPTH = 16
_MAGIC = b"PAR1"

# Numbers of the fields, in the order of parquet.thrift.
_ROW_GROUPS, _GROUP_COLUMNS, _CHUNK_METADATA = 4, 1, 3
_PATH, _PACKED_SIZE, _DATA_OFFSET, _DICTIONARY_OFFSET = 3, 7, 9, 11
_PAGE_UNPACKED, _PAGE_PACKED, _PAGE_DATA, _PAGE_DATA_V2, _PAGE_VALUES = 2, 3, 5, 8, 1


def check_parquet_size(
    content: bytes,
    columns: Collection[str],
    *,
    most_rows: int = MAX_ROWS,
    most_bytes: int = MAX_UNPACKED_BYTES,
) -> None:
    """Check that some columns of a Parquet file are of moderate size.

    Args:
        content: The file.
        columns: The names of the columns that are to be read.
        most_rows: The largest number of rows.
        most_bytes: The largest size of these columns, unpacked.

    Raises:
        ValueError: They are too large, or the file is malformed.
    """
    if len(content) < 12 or content[-4:] != _MAGIC:
        raise ValueError("it does not end as such a file does")
    length = struct.unpack("<I", content[-8:-4])[0]
    if length > min(_MAX_FOOTER_BYTES, len(content) - 8):
        raise ValueError(f"its footer is of {length} bytes")
    unpacked, pages = 0, 0
    values = dict.fromkeys(columns, 0)
    try:
        footer = _Thrift(content, len(content) - 8 - length).struct()
        for name, header in _pages(content, footer, columns):
            data = header.get(_PAGE_DATA) or header.get(_PAGE_DATA_V2) or {}
            values[name] += data.get(_PAGE_VALUES, 0)
            unpacked, pages = unpacked + header[_PAGE_UNPACKED], pages + 1
            if values[name] > most_rows:
                raise ValueError(f"it has more than {most_rows:,} rows")
            if unpacked > most_bytes:
                raise ValueError(f"it unpacks to more than {most_bytes:,} bytes")
            if pages > _MAX_PAGES:
                raise ValueError(f"it has more than {_MAX_PAGES:,} pages")
    except (IndexError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise ValueError("its structure is damaged") from error


def _pages(
    content: bytes, footer: dict[int, Any], columns: Collection[str]
) -> Iterator[tuple[str, dict[int, Any]]]:
    """The columns and the headers of their pages."""
    for group in footer.get(_ROW_GROUPS, []):
        for chunk in group[_GROUP_COLUMNS]:
            metadata = chunk[_CHUNK_METADATA]
            name = metadata[_PATH][0].decode("utf-8", "replace")
            if name not in columns:
                continue
            first = metadata.get(_DICTIONARY_OFFSET) or metadata[_DATA_OFFSET]
            thrift = _Thrift(content, first)
            while thrift.position < first + metadata[_PACKED_SIZE]:
                header = thrift.struct()
                if header[_PAGE_PACKED] < 0 or header[_PAGE_UNPACKED] < 0:
                    raise ValueError("its structure is damaged")
                yield name, header
                thrift.position += header[_PAGE_PACKED]


class _Thrift:
    """A reader of structures: their fields by number."""

    def __init__(self, content: bytes, position: int) -> None:
        if position < 0:
            raise IndexError(position)
        self._content = content
        self.position = position

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Read the structure at the position, and move the position behind it."""
        if depth > _MAX_DEPTH:
            raise ValueError("its structure is damaged")
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            number = number + step if step else self._integer()
            fields[number] = kind == 1 if kind in (1, 2) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (1, 2, 3):
            return self._byte()
        if kind in (4, 5, 6):
            return self._integer()
        if kind == 7:
            return self._bytes(8)
        if kind == 8:
            return self._bytes(self._varint())
        if kind in (9, 10):
            head = self._byte()
            length = head >> 4 if head < 0xF0 else self._varint()
            return [self._value(head & 15, depth + 1) for _ in range(length)]
        if kind == 12:
            return self.struct(depth + 1)
        raise ValueError("its structure is damaged")  # maps are not used

    def _byte(self) -> int:
        self.position += 1
        return self._content[self.position - 1]

    def _bytes(self, length: int) -> bytes:
        self.position += length
        return self._content[self.position - length : self.position]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 63:
                raise ValueError("its structure is damaged")

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
