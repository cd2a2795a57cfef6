"""Files that are compressed: by which first bytes each kind is known, and how it is opened."""

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, cast


class DamagedError(Exception):
    """A compressed file that cannot be unpacked: what is wrong with it, and what to do."""


def unpacked(head: bytes) -> Callable[[BinaryIO], BinaryIO] | None:
    """Return what unpacks a file that begins so, None if it is not compressed."""
    return next((unpack for magic, unpack in _KINDS.items() if head.startswith(magic)), None)


def suffixes() -> tuple[str, ...]:
    """Return the suffixes that compressed files have."""
    return (".gz", ".zst", ".bz2", ".xz")


class _Careful:
    """A file that says in one line why it cannot be read on."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        try:
            return self._file.read(size)  # type: ignore[no-any-return]
        except (EOFError, OSError, ValueError) as error:
            raise DamagedError(_DAMAGED.format(error)) from error
        except Exception as error:  # each library has errors of its own
            if type(error).__module__.partition(".")[0] in ("zlib", "zstandard", "zstd", "_lzma"):
                raise DamagedError(_DAMAGED.format(error)) from error
            raise

    def __iter__(self) -> Any:
        rest = b""
        while piece := self.read(1 << 20):
            *lines, rest = (rest + piece).split(b"\n")
            yield from (line + b"\n" for line in lines)
        if rest:
            yield rest

    def __enter__(self) -> "_Careful":
        return self

    def __exit__(self, *_: Any) -> None:
        self._file.close()

    def close(self) -> None:
        self._file.close()


_DAMAGED = "this compressed file is damaged or cut off ({}): unpack what is left of it by hand"


def _careful(file: Any) -> BinaryIO:
    return cast(BinaryIO, _Careful(file))


def _gzip(file: BinaryIO) -> BinaryIO:
    return _careful(gzip.GzipFile(fileobj=file))


def _bzip2(file: BinaryIO) -> BinaryIO:
    import bz2

    return _careful(bz2.BZ2File(file))


def _xz(file: BinaryIO) -> BinaryIO:
    import lzma

    return _careful(lzma.LZMAFile(file))


def _zstd(file: BinaryIO) -> BinaryIO:
    try:
        import zstandard
    except ImportError:
        raise DamagedError(
            "this file is compressed by zstd: pip install 'partita[zstd]', or unpack it first "
            f"(zstd -d {Path(str(getattr(file, 'name', 'FILE'))).name})"
        ) from None
    return _careful(zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True))


_KINDS: Mapping[bytes, Callable[[BinaryIO], BinaryIO]] = MappingProxyType(
    {b"\x1f\x8b": _gzip, b"\x28\xb5\x2f\xfd": _zstd, b"BZh": _bzip2, b"\xfd7zXZ\x00": _xz}
)
