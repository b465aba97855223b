"""Make a virtual environment with pip, on a bare Python too (Debian's has no ensurepip): `bootstrap.py FOLDER`."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from io import BytesIO
from pathlib import Path

_INDEX = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
_JSON = "application/vnd.pypi.simple.v1+json"


def main() -> None:
    """Make the environment, with pip from Python itself or else from the package index."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this script runs before anything checks it
        sys.exit(f"witbuild needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}: set PYTHON=")
    folder = Path(sys.argv[1])
    bundled = importlib.util.find_spec("ensurepip") is not None
    shutil.rmtree(folder, ignore_errors=True)
    flags = [] if bundled else ["--without-pip"]
    subprocess.run([sys.executable, "-m", "venv", *flags, str(folder)], check=True)
    if not bundled:
        wheel = zipfile.ZipFile(BytesIO(_read(_newest_pip())))
        wheel.extractall(next(folder.glob("lib/python3*/site-packages")))


def _newest_pip() -> str:
    """Return the address of the newest pip wheel that is not a pre-release."""
    files = json.loads(_read(f"{_INDEX}/pip/"))["files"]
    wheels = [file for file in files if file["filename"].endswith("-py3-none-any.whl") and not file.get("yanked")]
    plain = [file for file in wheels if file["filename"].split("-")[1].replace(".", "").isdecimal()]
    newest = max(plain, key=lambda file: [int(n) for n in file["filename"].split("-")[1].split(".")])
    return str(newest["url"])


def _read(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"Accept": f"{_JSON}, */*;q=0.1"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return bytes(answer.read())


if __name__ == "__main__":
    main()
