"""witbuild and img2dataset as commands over the same list, for the same stored images."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench.spent import Spent, spent
from witbuild.io import tables
from witbuild.schema import PAIRS
from witbuild.text.keys import pair_key

SIZE, QUALITY = 256, 90


@dataclass(frozen=True)
class Ours:
    """`witbuild fetch` into a run directory."""

    folder: Path
    port: int
    options: tuple[str, ...] = ()
    name: str = "witbuild"

    def __call__(self, urls: Sequence[str], *, workers: int = 1, watch: bool = False) -> Spent:
        pairs, out = self.folder / "pairs.parquet", self.out(workers)
        tables.write(pairs, tables.from_rows((_row(number, url) for number, url in enumerate(urls)), PAIRS), dropped={})
        shutil.rmtree(out, ignore_errors=True)
        command = [str(Path(sys.executable).with_name("witbuild")), "fetch", "--pairs", str(pairs), "--out", str(out)]
        command += ["--user-agent", "bench (+http://bench.test/)", "--allow-private", "--ports", str(self.port)]
        return spent([*command, "--workers", str(workers), *self.options], watch=watch)

    def out(self, workers: int = 1) -> Path:
        return self.folder / f"run{workers}"

    def stored(self, workers: int = 1) -> int:
        paths = sorted(self.out(workers).glob("*fetch.download*/pairs/*.parquet"))
        return sum(pq.read_metadata(path).num_rows for path in paths)


@dataclass(frozen=True)
class Peer:
    """img2dataset, told the same size and quality, no EXIF; its hash stays on, since ours cannot be off."""

    folder: Path
    threads: int
    name: str = field(default="img2dataset", init=False)

    def __call__(self, urls: Sequence[str], *, workers: int = 1, watch: bool = False) -> Spent:
        listed, out = self.folder / "urls.parquet", self.folder / "peer"
        pq.write_table(pa.table({"url": list(urls), "caption": [_caption(i) for i in range(len(urls))]}), listed)
        shutil.rmtree(out, ignore_errors=True)
        flags = {
            "url_list": listed, "input_format": "parquet", "caption_col": "caption", "output_folder": out,
            "output_format": "webdataset", "image_size": SIZE, "resize_mode": "keep_ratio",
            "resize_only_if_bigger": True, "encode_quality": QUALITY, "extract_exif": False,
            "processes_count": workers, "thread_count": self.threads,
            "number_sample_per_shard": -(-len(urls) // workers), "enable_wandb": False,
        }  # fmt: skip
        words = [f"--{name}={value}" for name, value in flags.items()]
        environment = {**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1"}
        return spent([os.environ["IMG2DATASET"], *words], environment, watch=watch)

    def stored(self, workers: int = 1) -> int:
        paths = sorted((self.folder / "peer").glob("*.parquet"))
        return sum(pq.read_table(path, columns=["status"])["status"].to_pylist().count("success") for path in paths)


def _row(number: int, url: str) -> dict[str, str]:
    caption = _caption(number)
    key = pair_key(url, caption)
    return {"key": key, "url": url, "caption": caption, "caption_source": "alt", "source": "list"}


def _caption(number: int) -> str:
    return f"a picture, number {number}"
