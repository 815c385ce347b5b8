#!/usr/bin/env python
"""`slipway` from a checkout that isn't installed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "platform"))

from slipway.cli import main

if __name__ == "__main__":
    main()
