"""Commands as processes of this host: kept apart by bwrap where it can be had, and followed to the last of them."""

from apps.runtime.process.forwarding import Forward, forward_to
from apps.runtime.process.starting import Host, Level, Processes, Running, unenforced

__all__ = ["Forward", "Host", "Level", "Processes", "Running", "forward_to", "unenforced"]
