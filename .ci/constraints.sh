#!/usr/bin/env bash
# Writes the pinned versions of everything into pyproject.toml ([tool.uv] constraint-dependencies): no host is named.
set -euo pipefail
cd "$(dirname "$0")/.."
uv lock --upgrade --quiet
uv export --quiet --all-groups --no-hashes --no-emit-project --no-header --no-annotate --format requirements-txt |
  uv run --no-sync python .ci/pin.py pyproject.toml
