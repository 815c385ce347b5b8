"""Each module can be the first that is imported: what works only in one order fails in some command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Django is set up once; then each module is imported in a child of its own.
PROGRAM = """
import os, sys
import django
django.setup()
failed = []
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            __import__(name)
        except BaseException as error:
            print(f"{name}: {error}", flush=True)
            os._exit(1)
        os._exit(0)
    failed += [name] if os.waitpid(child, 0)[1] else []
sys.exit(bool(failed))
"""


def test_each_module_may_come_first(tmp_path: Path) -> None:
    files = [path.relative_to(ROOT) for path in (ROOT / "apps").rglob("*.py") if "migrations" not in path.parts]
    names = sorted({".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in files})
    env = {
        "DJANGO_SETTINGS_MODULE": "slipway.settings.test",
        "PYTHONPATH": f"{ROOT}/platform:{ROOT}",
        "HOME": str(tmp_path),
    }
    done = subprocess.run([sys.executable, "-c", PROGRAM, *names], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
