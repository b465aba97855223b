"""The command line: the only room that prints.

app.py        the list of commands; loads a command's module when it is called, so that --help answers at once
options.py    a stage's parameters -> options
stage.py      `witbuild match`, `witbuild dedup`, ...: one stage into a run directory
crawl.py      `witbuild crawl`: harvest + match + filter + fetch
recipes.py    `witbuild run`, `witbuild stages`
results.py    `witbuild status`, `witbuild report`
demo.py       `witbuild demo`
progress.py   bars on a terminal, plain lines elsewhere
work.py       what all commands that work share: engine, slices, the run itself
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from typing import NoReturn


def main() -> None:
    """Run the command line; errors that are meant for a person end in one message and an exit code."""
    from witbuild.errors import WitbuildError

    # Arrow's allocator asks for huge pages: 26 MB for a table of 2 MB, and no faster; read when Arrow is loaded
    os.environ.setdefault("MIMALLOC_ALLOW_THP", "0")
    signal.signal(signal.SIGTERM, _stopped)
    signal.signal(signal.SIGINT, _stopped)
    try:
        from witbuild.cli.app import app

        app()
    except WitbuildError as error:
        _fail(str(error), error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:  # a disk that is full or may not be written, a file in the place of a folder
        if error.filename is None and error.errno != errno.ENOSPC:
            raise
        where = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
        _fail(f"{where}{error.strerror}; when that is mended, the same command goes on from here", 1)


def _stopped(number: int, _frame: object) -> NoReturn:
    """Leave by an ordinary exit, so that every `with` on the way cleans up."""
    word = "interrupted" if number == signal.SIGINT else "terminated"
    _fail(f"{word}; the same command goes on from here", 128 + number)


def _fail(message: str, code: int) -> NoReturn:
    print(f"witbuild: {message}", file=sys.stderr)  # noqa: T201
    sys.exit(code)
