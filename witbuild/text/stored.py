"""A trie in a file that any number of processes map: the machine holds it once.

head     one line of JSON: a name for the format, then dtype, shape and first byte of each array
arrays   each at a multiple of 64 bytes, a line of the processor's cache
"""

from __future__ import annotations

import json
import mmap
import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

import numpy as np

from witbuild.errors import InputError
from witbuild.text.trie import Trie, Vocabulary

FORMAT: Final = "witbuild trie 2"
"""Changes with the meaning of the arrays."""
_ALIGNED = 64
_HEAD_BYTES = 1_024


def save(trie: Trie, path: Path) -> None:
    """Write a trie, whole or not at all; a file that is there stays, so that all who map it map the same one."""
    arrays: list[Any] = [*trie.words, *trie[1:]]
    place, told = _HEAD_BYTES, []
    with NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        for array in arrays:
            told.append((array.dtype.str, array.shape, place))
            file.seek(place)
            file.write(array.tobytes())
            place += -(-array.nbytes // _ALIGNED) * _ALIGNED
        file.truncate(place)
        file.seek(0)
        file.write(json.dumps([FORMAT, told]).encode().ljust(_HEAD_BYTES))
    try:
        os.link(file.name, path)
    except FileExistsError:
        pass
    finally:
        Path(file.name).unlink()


def load(path: Path) -> Trie:
    """Return the trie in a file, mapped: its pages are read when they are looked at, and shared.

    Raises:
        InputError: the file is not one that `save` wrote.
    """
    with path.open("rb") as file:
        try:
            name, told = json.loads(file.read(_HEAD_BYTES))
            # A private mapping: numba compiles for arrays that may be written, though nobody writes.
            data = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
            arrays = [_array(data, *one) for one in told]
        except (ValueError, TypeError) as error:
            raise InputError(f"{path}: not a stored trie ({error}); remove it") from error
    if name != FORMAT or len(arrays) != len(Vocabulary._fields) + len(Trie._fields) - 1:
        raise InputError(f"{path}: found {name!r}, expected {FORMAT!r}; remove it")
    return Trie(Vocabulary(*arrays[:3]), *arrays[3:])


def _array(data: mmap.mmap, dtype: str, shape: list[int], first: int) -> Any:
    return np.frombuffer(data, np.dtype(dtype), int(np.prod(shape)), first).reshape(shape)
