"""How many may be connected at once to what listens here."""

from __future__ import annotations

import sys

# An idle connection costs some kilobytes, and open pages have one or two; the server's own limit is a thousand. Who
# opens as many and says nothing would keep all others out.
_MOST_FILES = 16_384
_FEWEST = 256


def connections_at_most() -> int:
    """Three quarters of the files that this process may have open, which is made as many as it is let."""
    if sys.platform == "win32":
        return 1024
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(_FEWEST, most * 3 // 4)
