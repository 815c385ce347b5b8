"""Truth by comparison: the same calls to MLflow's own server and to ours, and the answers compared."""

import pytest

pytest.register_assert_rewrite("tests.contract.transcript")
