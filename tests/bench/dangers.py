"""Dangerous lists through img2dataset and witbuild, each really run, in a network of its own.

    unshare -rn sh -c 'ip link set lo up; ip addr add 93.184.215.14/32 dev lo; ...; ...'

One server answers at a public address, at loopback and at the clouds' metadata address; no packet leaves the namespace.
Both programs are told a timeout of 5 s. What a program makes of a URL is what its own table says.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fetched import jpeg
from witbuild.io import tables
from witbuild.schema import PAIRS
from witbuild.text.keys import pair_key

PUBLIC, METADATA, PORT = "93.184.215.14", "169.254.169.254", 8080
LIMIT_SECONDS = 60
HERE = f"http://{PUBLIC}:{PORT}"
MOVED = {
    "/to-loopback": f"http://127.0.0.1:{PORT}/x.jpg",
    "/to-metadata": f"http://{METADATA}:{PORT}/x.jpg",
    "/to-file": "file:///tmp/witbuild-danger.jpg",
}
HEADERS = {"/noai.jpg": ("X-Robots-Tag", "noai"), "/train.jpg": ("Content-Usage", "train-ai=n")}


def cases(folder: Path) -> dict[str, str]:
    """Return name -> URL."""
    secret = folder / "secret.jpg"
    secret.write_bytes(jpeg(2, 300))
    return {
        "a good image": f"{HERE}/x.jpg",
        "`file://`": secret.as_uri(),
        "`data:`": "data:image/jpeg;base64," + base64.b64encode(jpeg(3, 300)).decode(),
        "loopback": f"http://127.0.0.1:{PORT}/x.jpg",
        "loopback as a number, `http://2130706433/`": f"http://2130706433:{PORT}/x.jpg",
        "loopback mapped, `http://[::ffff:127.0.0.1]/`": f"http://[::ffff:127.0.0.1]:{PORT}/x.jpg",
        "the clouds' metadata address": f"http://{METADATA}:{PORT}/x.jpg",
        "a redirect to loopback": f"{HERE}/to-loopback",
        "a redirect to the metadata address": f"{HERE}/to-metadata",
        "a redirect to `file://`": f"{HERE}/to-file",
        "robots.txt forbids it": f"{HERE}/private/x.jpg",
        "`X-Robots-Tag: noai`": f"{HERE}/noai.jpg",
        "`Content-Usage: train-ai=n`": f"{HERE}/train.jpg",
        "a byte a second": f"{HERE}/drip.jpg",
        "a PNG from a public fuzz corpus": f"{HERE}/crash.png",
    }


ALONE = ("a byte a second", "a PNG from a public fuzz corpus")
"""What may stop a whole job, so it has one to itself."""


class Answers(BaseHTTPRequestHandler):
    """The server."""

    crash = b""

    def do_GET(self) -> None:
        if self.path in MOVED:
            return self._send(302, b"", ("Location", MOVED[self.path]))
        if self.path == "/robots.txt":
            return self._send(200, b"User-agent: *\nDisallow: /private/")
        if self.path == "/drip.jpg":
            return self._drip()
        body = self.crash if self.path.endswith(".png") else jpeg(1, 300)
        found = self.path.endswith((".jpg", ".png")) and body
        return self._send(200 if found else 404, body if found else b"", HEADERS.get(self.path, ("X-Other", "1")))

    def _send(self, status: int, body: bytes, header: tuple[str, str] = ("X-Other", "1")) -> None:
        self.send_response(status)
        self.send_header(*header)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        try:
            for _ in range(10 * LIMIT_SECONDS):
                self.wfile.write(b"x")
                time.sleep(1)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


def lists(urls: dict[str, str]) -> Iterator[dict[str, str]]:
    """Yield lists: what can be in one job, and what may stop it, each alone beside a good image."""
    good = {"a good image": urls["a good image"]}
    yield {name: url for name, url in urls.items() if name not in ALONE}
    yield from ({**good, name: urls[name]} for name in ALONE)


def ended(command: list[str]) -> float | None:
    """Run a command; return its seconds, or None when it had to be killed."""
    started = time.monotonic()
    environment = {**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1"}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, env=environment, start_new_session=True)
    try:
        process.wait(LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None
    return time.monotonic() - started


def peer(urls: dict[str, str], folder: Path) -> dict[str, str]:
    """Return what img2dataset makes of each URL."""
    pq.write_table(pa.table({"url": list(urls.values())}), folder / "urls.parquet")
    flags = {
        "url_list": folder / "urls.parquet", "input_format": "parquet", "output_format": "webdataset",
        "output_folder": folder / "peer", "processes_count": 1, "thread_count": 8, "timeout": 5, "retries": 0,
        "enable_wandb": False,
    }  # fmt: skip
    seconds = ended([os.environ["IMG2DATASET"], *(f"--{name}={value}" for name, value in flags.items())])
    if seconds is None:
        return dict.fromkeys(urls, f"the job hangs; killed after {LIMIT_SECONDS} s")
    (path,) = (folder / "peer").glob("*.parquet")
    told = {row["url"]: row for row in pq.read_table(path).to_pylist()}
    return {name: _said(told[url]["status"], told[url]["error_message"], seconds) for name, url in urls.items()}


def ours(urls: dict[str, str], folder: Path) -> dict[str, str]:
    """Return what witbuild makes of each URL."""
    rows = [
        {"key": pair_key(url, name), "url": url, "caption": name, "caption_source": "alt", "source": "list"}
        for name, url in urls.items()
    ]
    tables.write(folder / "pairs.parquet", tables.from_rows(rows, PAIRS), dropped={})
    command = [sys.executable, "-c", "from witbuild.cli import main; main()", "fetch"]
    command += ["--pairs", str(folder / "pairs.parquet"), "--out", str(folder / "run"), "--timeout", "5"]
    command += ["--user-agent", "x (+http://contact.test/)", "--retries", "0", "--workers", "1", "--shards", "1"]
    seconds = ended(command)
    if seconds is None:
        return dict.fromkeys(urls, f"the job hangs; killed after {LIMIT_SECONDS} s")
    (path,) = folder.glob("run/*fetch.download/fetches/*.parquet")
    told = {row["url"]: row["status"] for row in pq.read_table(path).to_pylist()}
    return {name: _said("success" if told[url] == "ok" else "", told[url], seconds) for name, url in urls.items()}


def _said(status: str, words: str | None, seconds: float) -> str:
    shown = "stored" if status == "success" else f"refused: {(words or status)[:60]}"
    return f"{shown} ({seconds:.0f} s)"


def main(out: str, crash: str) -> None:
    """Run every list through both and write what they say as JSON: name -> [img2dataset, witbuild]."""
    Answers.crash = Path(crash).read_bytes() if crash else b""
    Path("/tmp/witbuild-danger.jpg").write_bytes(jpeg(4, 300))
    server = ThreadingHTTPServer(("0.0.0.0", PORT), Answers)  # noqa: S104 - in a network of its own
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        for number, urls in enumerate(lists(cases(Path(name)))):
            folder = Path(name) / str(number)
            folder.mkdir()
            theirs, mine = peer(urls, folder), ours(urls, folder)
            found |= {case: [theirs[case], mine[case]] for case in urls if case not in found}
    Path(out).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
