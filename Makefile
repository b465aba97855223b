# Every target does its own set-up: git, make and Python 3.11 or newer are enough.
# make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu takes the small CPU build of torch where that host is reached.
PYTHON ?= python3
TORCH_INDEX ?=
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

.PHONY: demo test lint unit fuzz test-slow test-soak test-ray bench bench-fetch docs docker clean

demo: .venv/.train
	$(BIN)/witbuild demo --out demo

test: lint unit

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: .venv/.dev
	$(PYTEST) -n 2 --dist loadgroup

# The properties on examples not tried before; make test always tries the same ones.
fuzz: .venv/.dev
	$(PYTEST) -n 2 --hypothesis-profile fuzz -m 'hypothesis and not slow and not soak and not gpu and not ray and not bench'

test-slow: .venv/.dev
	$(PYTEST) -m slow

test-soak: .venv/.dev
	$(PYTEST) -m soak

test-ray: .venv/.ray
	$(PYTEST) -m ray

bench: .venv/.bench
	$(PYTEST) -m bench -q --timeout 1800 $(if $(ONLY),tests/bench/test_bench_$(ONLY).py,tests/bench)

# img2dataset's pins are old, so it has an environment of its own: IMG2DATASET=/path/to/bin/img2dataset
bench-fetch: .venv/.bench
	$(PYTEST) -m bench -q --timeout 1800 tests/bench/test_bench_fetch.py

docs: .venv/.dev
	$(BIN)/python tests/docs/test_format.py
	$(BIN)/python tests/docs/test_stages.py

docker:
	tests/docker/build.sh

clean:
	rm -rf .venv build dist demo run .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.venv/.made: .ci/bootstrap.py
	$(PYTHON) .ci/bootstrap.py .venv
	touch $@

.venv/.train: .venv/.made pyproject.toml
	$(if $(TORCH_INDEX),$(BIN)/python -m pip install -q torch torchvision --index-url $(TORCH_INDEX))
	$(BIN)/python -m pip install -q -e '.[train]'
	touch $@

.venv/.bench: .venv/.dev
	$(BIN)/python -m pip install -q -e '.[bench]'
	touch $@

.venv/.ray: .venv/.dev
	$(BIN)/python -m pip install -q -e '.[ray]'
	touch $@

.venv/.dev: .venv/.train
	$(BIN)/python -m pip install -q -e '.[train,test,lint]'
	touch $@
