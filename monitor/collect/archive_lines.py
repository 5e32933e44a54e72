"""Lines of a plain, gzip or Zstandard file, read in chunks; what kind it is its first bytes tell."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from monitor.errors import ArchiveError

LINE_LIMIT = 64 * 2**20  # bytes of one line that are kept; a page of 500 X posts is about 2 MB
_CHUNK = 2**17
_PACKED_CHUNK = 2**12  # may unpack to thousands of times as much; of a damaged one nothing is kept
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class Lines:
    """The lines behind ``offset``, each with its line end; iterate once.

    Args:
        offset: bytes of the unpacked file to leave out, where a line ends.
        number: lines that stand before it.

    Attributes:
        offset, number: where the last line given ends.
    """

    def __init__(self, path: Path, offset: int = 0, number: int = 0) -> None:
        self.path, self.offset, self.number = path, offset, number
        self._read = 0
        self._size = 0

    @property
    def progress(self) -> float:
        """Share of the file that was read, 0 to 1."""
        return self._read / self._size if self._size else 0.0

    def __iter__(self) -> Iterator[bytes]:
        """Raises ``ArchiveError`` where the file breaks off or cannot be read; complete lines come before that."""
        try:
            with self.path.open("rb") as file:
                self._size = self.path.stat().st_size
                yield from self._lines(self._from_offset(file))
        except OSError as error:
            raise ArchiveError(f"{self.path} cannot be read: {error.strerror}") from None
        except _Broken as error:
            raise ArchiveError(
                f"{self.path} {error} in line {self.number + 1}; what stands before is stored",
                "Get the file once more and import it again: what is stored already does not change.",
            ) from None

    def _lines(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        begun: list[bytes] = []
        length = 0
        for chunk in chunks:
            *ended, rest = chunk.split(b"\n")
            for i, line in enumerate(ended):
                whole = line if i else b"".join((*begun, line))
                yield self._given(whole + b"\n", (0 if i else length) + len(line) + 1)
            if ended:
                begun, length = [], 0
            if length < LINE_LIMIT:  # what no line should be is cut, and then is no JSON either
                begun.append(rest)
            length += len(rest)
        if length:
            yield self._given(b"".join(begun), length)

    def _given(self, line: bytes, length: int) -> bytes:
        self.offset += length
        self.number += 1
        return line

    def _from_offset(self, file: BinaryIO) -> Iterator[bytes]:
        chunks, left = self._unpacked(file), self.offset
        for chunk in chunks:
            if left < len(chunk):
                yield chunk[left:]
            left = max(0, left - len(chunk))

    def _unpacked(self, file: BinaryIO) -> Iterator[bytes]:
        magic = file.read(4)
        file.seek(0)
        if magic[:2] == _GZIP:
            return _unpack(self._chunks(file, _PACKED_CHUNK), lambda: zlib.decompressobj(wbits=31))
        if magic == _ZSTD:
            import zstandard

            return _unpack(
                self._chunks(file, _PACKED_CHUNK),
                lambda: zstandard.ZstdDecompressor(max_window_size=2**31).decompressobj(),
            )
        return self._chunks(file, _CHUNK)

    def _chunks(self, file: BinaryIO, size: int) -> Iterator[bytes]:
        while chunk := file.read(size):
            self._read += len(chunk)
            yield chunk


class _Broken(Exception):
    """A packed file is damaged or ends too early."""


def _unpack(chunks: Iterator[bytes], new: Callable[[], Any]) -> Iterator[bytes]:
    """The members or frames of a packed file, one after the other; zeros behind one are padding."""
    import zstandard

    decoder = None
    for chunk in chunks:
        left = chunk
        while left := left if decoder else left.lstrip(b"\0"):
            decoder = decoder or new()
            try:
                yield decoder.decompress(left)
            except (zlib.error, zstandard.ZstdError) as error:
                raise _Broken(f"is damaged ({error})") from None
            left = decoder.unused_data if decoder.eof else b""
            decoder = None if decoder.eof else decoder
    if decoder is not None:
        raise _Broken("breaks off")
