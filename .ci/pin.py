"""Replace the pins in pyproject.toml by the requirements read from standard input."""

import re
import sys
from pathlib import Path

target = Path(sys.argv[1])
pins = [line.strip().replace('"', "'") for line in sys.stdin if "==" in line and line[:1].isalnum()]
block = "constraint-dependencies = [\n" + "".join(f'    "{pin}",\n' for pin in pins) + "]"
text, count = re.subn(r"constraint-dependencies = \[.*?\n\]", lambda _: block, target.read_text(), flags=re.DOTALL)
if count != 1:
    sys.exit("pyproject.toml has no constraint-dependencies to replace")
target.write_text(text)
