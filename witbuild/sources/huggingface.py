"""Data sets of the Hugging Face hub as inputs: `hf://datasets/OWNER/NAME[@REVISION][/PATH]`, by huggingface_hub.

hf://datasets/laion/relaion2B-en-research/*.parquet      a glob
hf://datasets/conceptual/cc3m                            all lists of a data set
hf://datasets/me/mine@refs%2Fconvert%2Fparquet/**        of a revision: branch, tag, commit; what holds `/` is quoted

The hub's address is in HF_ENDPOINT, a token in HF_TOKEN (or where `hf auth login` put it).
"""

from __future__ import annotations

import re
from typing import Any

from witbuild.errors import InputError, PolicyError
from witbuild.io import store

SCHEME = "hf://"
_NAME = re.compile(r"hf://datasets/[\w.-]+/[\w.-]+(@[^/@]+)?(/.*)?")
_MISSING = re.compile(r"\((\w+ not found)\)")


def expand(name: str) -> list[str]:
    """Return the files that a name stands for, sorted.

    Args:
        name: of a data set, or of a file, folder or glob in one.

    Raises:
        InputError: it is no such name, or the hub knows nothing of it.
        PolicyError: the hub wants a token for it, or another one.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name}: expected hf://datasets/OWNER/NAME, and maybe @REVISION and /PATH")
    system = store.remote(name)
    try:
        found = system.glob(name, detail=True) if "*" in name else system.find(name, detail=True)
    except (OSError, ValueError) as error:
        raise _refusal(name, error) from error
    return sorted(SCHEME + path for path, told in found.items() if told["type"] == "file")


def _refusal(name: str, error: BaseException) -> Exception:
    """Return what the hub's no means: any is a FileNotFoundError there, whose cause says more."""
    missing, status = _MISSING.search(str(error)), _status(error)
    if status in (401, 403):
        return PolicyError(
            f"{name}: the hub wants a token that may read it (HTTP status {status}): accept its terms on its page, "
            "and put your token into HF_TOKEN"
        )
    if status and status >= 500:
        return InputError(f"{name}: the hub cannot answer (HTTP status {status}); run again later")
    said = missing[1] if missing else str(error).partition("\n")[0] or type(error).__name__
    return InputError(f"{name}: the hub says: {said}; if it is private, put a token that may read it into HF_TOKEN")


def _status(error: BaseException | None) -> int | None:
    """Return the HTTP status that an error came from."""
    answer: Any = None
    while error is not None and answer is None:
        answer, error = getattr(error, "response", None), error.__cause__ or error.__context__
    return getattr(answer, "status_code", None)
