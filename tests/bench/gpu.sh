#!/usr/bin/env bash
# Training on one CUDA device beside open_clip_train, in under ten minutes; a table at the end.
#
#   tests/bench/gpu.sh                     everything, into docs/benchmarks/gpu.md
#   tests/bench/gpu.sh --only loss --only mfu
#   tests/bench/gpu.sh --toy --out /tmp/t  every part at toy size on a CPU: what the test suite runs
set -euo pipefail
cd "$(dirname "$0")/../.."
exec "${PYTHON:-.venv/bin/python}" -m tests.bench.gpu "$@"
