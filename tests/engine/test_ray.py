"""Ray of three nodes on loopback, one of them killed while it works."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.global_steps import deal, pair, save_pairs
from witbuild.engine import Engine
from witbuild.engine.local import LocalEngine
from witbuild.engine.ray import RayEngine
from witbuild.errors import MissingExtraError, WorkerError
from witbuild.io.run import Run
from witbuild.recipe import Recipe
from witbuild.runner import Settings, run_recipe
from witbuild.runner.run import Silent
from witbuild.stages.dedup import Dedup

NODES, NOTICED_SECONDS = 3, 60


class Nodes:
    """A head and two more nodes, each with processes of its own, as `ray start` makes them."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])  # so that workers find these tests
        self.cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        self.others = [self.cluster.add_node(num_cpus=1) for _ in range(NODES - 1)]

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    @staticmethod
    def alive() -> int:
        import ray

        return sum(node["Alive"] for node in ray.nodes())

    def wait_until_alive(self, number: int) -> None:
        """Wait until the cluster has noticed; it may have given away a dead node's tasks before."""
        until = time.monotonic() + NOTICED_SECONDS
        while self.alive() != number:
            assert time.monotonic() < until, f"{self.alive()} nodes are alive, not {number}"
            time.sleep(0.1)

    def kill_one(self) -> None:
        """Kill a node's raylet, and with it its workers, by SIGKILL."""
        node: Any = self.others.pop()
        process = node.all_processes["raylet"][0].process
        os.kill(process.pid, signal.SIGKILL)


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    pytest.importorskip("ray")
    made = Nodes()
    yield made
    made.cluster.shutdown()


def leave_a_trace(path: str) -> str:
    with Path(path).open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(0.3)
    return path


def kill_the_first_two(path: str) -> str:
    """Die like a worker short of memory, the first two times."""
    with Path(path).open("a") as file:
        file.write("begun\n")
    if len(Path(path).read_text().splitlines()) < 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return path


def always_die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.ray
def test_a_killed_node_costs_its_own_tasks_only(nodes: Nodes, tmp_path: Path) -> None:
    paths = [str(tmp_path / str(i)) for i in range(30)]
    done: Counter[str] = Counter()
    with RayEngine(nodes.address) as engine:
        for path in engine.map(leave_a_trace, paths):
            done[path] += 1
            if done.total() == 6:
                nodes.kill_one()
        nodes.wait_until_alive(NODES - 1)
    assert done == Counter(paths)
    attempts = [len(Path(path).read_text().splitlines()) for path in paths]
    assert sum(attempts) - len(paths) <= 2  # one slot: what it did, and what it may have been given meanwhile


@pytest.mark.ray
def test_lost_workers_are_replaced_and_at_last_an_error(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    path = str(tmp_path / "trace")
    with RayEngine(workers=1) as engine:
        assert list(engine.map(kill_the_first_two, [path])) == [path]
    with RayEngine(workers=1, retries=1) as engine, pytest.raises(WorkerError, match="lost with its worker 2 times"):
        list(engine.map(always_die, [7]))


@pytest.mark.ray
def test_declared_memory_bounds_what_runs_at_a_time(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    with RayEngine(workers=2) as engine:
        memory = int(ray.cluster_resources()["memory"])
        assert engine._slots() == 2
        whole = RayEngine(cpus=0.5, memory_bytes=int(memory * 0.7))
        assert whole._slots() == 1
        started = time.perf_counter()
        list(whole.map(leave_a_trace, [str(tmp_path / str(i)) for i in range(4)]))
        assert time.perf_counter() - started > 4 * 0.3


def captions(count: int) -> list[dict[str, Any]]:
    random, rows = Random(3), []
    for i in range(count):
        words = [f"w{random.randrange(500)}" for _ in range(9)]
        rows.append(pair(f"http://a.test/{i}.jpg", " ".join(words), page_url="http://p/1"))
        if i % 3 == 0:
            rows.append(pair(f"http://b.test/{i}.jpg", " ".join([*words, "more"]), page_url="http://p/2"))
    return rows


class KillAfter(Silent):
    """Kills a node when so many tasks are done."""

    def __init__(self, nodes: Nodes, tasks: int) -> None:
        self.nodes, self.left = nodes, tasks

    def advance(self, done: object) -> None:
        self.left -= 1
        if self.left == 0:
            self.nodes.kill_one()


def run_on(engine: Engine, recipe: Recipe, folder: Path, settings: Settings | None = None) -> str:
    run_recipe(recipe, str(folder), engine, settings)
    return Run(str(folder)).merkle_root()


@pytest.mark.ray
def test_every_engine_makes_the_same_bytes(nodes: Nodes, tmp_path: Path) -> None:
    inputs = {"pairs": save_pairs(tmp_path / "pairs", deal(captions(300), 7))}
    recipe = Recipe(stages=(Dedup(scope="caption", slices=4, miss_weight=0.95),), inputs=inputs)
    roots = {}
    for workers in (1, 2):
        with LocalEngine(workers) as local:
            roots[f"local {workers}"] = run_on(local, recipe, tmp_path / f"local{workers}")
    killer = KillAfter(nodes, tasks=10)
    with RayEngine(nodes.address) as engine:
        roots["ray"] = run_on(engine, recipe, tmp_path / "ray", Settings(progress=killer))
    assert killer.left < 0
    assert len(set(roots.values())) == 1, roots


@pytest.mark.ray
def test_nobody_at_the_address() -> None:
    pytest.importorskip("ray")
    with (
        pytest.raises(WorkerError, match=r"--address 127\.0\.0\.1:9: no Ray cluster answers"),
        RayEngine("127.0.0.1:9"),
    ):
        pass


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'witbuild\[ray\]'"):
        RayEngine()
