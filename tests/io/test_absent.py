"""What libraries only look for is not imported, and is there for who wants it."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from witbuild.io.absent import absent


def test_a_package_is_hidden_inside_the_block_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with absent("colorsys"), pytest.raises(ModuleNotFoundError, match="colorsys"):
        importlib.import_module("colorsys")
    assert importlib.import_module("colorsys")


def test_tables_are_made_without_pandas_and_it_is_there_for_who_wants_it() -> None:
    pytest.importorskip("pandas")
    code = (
        "import sys, pyarrow as pa, witbuild.io.tables\n"
        "table = pa.table({'a': pa.array([1])})\n"
        "assert 'pandas' not in sys.modules\n"
        "assert table.to_pandas().shape == (1, 1)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_makes_images_is_warmed_up_without_scipy() -> None:
    code = (
        "import sys, witbuild.stages.fetch.warm as _; assert not any(name.startswith('scipy.') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
