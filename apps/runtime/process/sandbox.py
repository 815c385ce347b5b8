"""What a sandboxed command sees: a read-only system, its own folder, and nothing of this server."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from apps.core.errors import InvalidInput

# Where the run's folder is, inside.
WORK = PurePosixPath("/work")
USER, USER_ID = "run", 1000
# bwrap's own process outside, and the first inside.
WRAPPERS = 2
_MIB = 1024 * 1024
_SHM_MB = 1024
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# Of /etc what libraries need: how names are resolved, whom TLS trusts, where libraries lie. No keys, no passwords.
_ETC = (
    "alternatives",
    "ca-certificates",
    "gai.conf",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "magic",
    "mime.types",
    "nsswitch.conf",
    "pki/ca-trust",
    "pki/tls/certs",
    "protocols",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "timezone",
)
_NVIDIA = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The arguments for bwrap. `room` is the run's folder here, with `work`, `tmp` and `etc` in it.

    `readable` and `writable` are seen where they lie here. `placed`: files here, by where they are inside.
    """

    bwrap: Path
    room: Path
    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    placed: Mapping[PurePosixPath, Path] = field(default_factory=dict)
    has_network: bool = True
    gpus: tuple[str, ...] = ()
    hosts: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()

    def prepare(self) -> None:
        """Make the folders and files that it is put together from."""
        for name in ("work", "tmp", "etc"):
            (self.room / name).mkdir(mode=0o700, exist_ok=True)
        names = {"127.0.0.1": "localhost run", "::1": "localhost"}
        hosts = [f"{address} {said}" for address, said in names.items()]
        hosts += [f"{address} {name}" for name, address in self.hosts.items()]
        etc = {
            "passwd": f"{USER}:x:{USER_ID}:{USER_ID}::{WORK}:/bin/bash\n",
            "group": f"{USER}:x:{USER_ID}:\n",
            "hosts": "\n".join(hosts) + "\n",
            "hostname": "run\n",
        }
        for name, text in etc.items():
            (self.room / "etc" / name).write_text(text)

    def inside(self, place: Path) -> PurePosixPath:
        """Where a file of the run's folder is for the command."""
        return WORK / place.relative_to(self.room / "work")

    def arguments(self, folder: Path, variables: Mapping[str, str]) -> tuple[str, ...]:
        """For a command that begins in `folder`. Raises `InvalidInput` for what bwrap would take for two of them."""
        found = tuple(self._arguments(folder, variables))
        if any("\x00" in each for each in found):
            raise InvalidInput("A variable of the run holds a character that no variable can hold.")
        return found

    def _arguments(self, folder: Path, variables: Mapping[str, str]) -> Iterator[str]:
        yield from ("--unshare-user", "--uid", str(USER_ID), "--gid", str(USER_ID), "--unshare-ipc", "--unshare-pid")
        yield from ("--unshare-uts", "--unshare-cgroup-try", "--die-with-parent", "--new-session", "--hostname", "run")
        yield from ("--cap-drop", "ALL", *self.options)
        if not self.has_network:
            yield "--unshare-net"
        yield from _system()
        yield from self._devices()
        yield from self._files()
        # What was only made to hang the rest on takes no files: it would be memory that nobody counts.
        yield from ("--remount-ro", "/", "--chdir", str(self.inside(folder)), "--clearenv")
        for name, value in variables.items():
            yield from ("--setenv", name, value)

    def _devices(self) -> Iterator[str]:
        yield from ("--proc", "/proc")
        # Who is root outside, as a worker may be, could set the kernel's values by that alone, with no right inside.
        yield from _if_there("--ro-bind", Path("/proc/sys"))
        yield from ("--dev", "/dev", "--perms", "1777", "--size", str(_SHM_MB * _MIB))
        yield from ("--tmpfs", "/dev/shm")  # noqa: S108
        for name in (*_NVIDIA, *(f"nvidia{gpu}" for gpu in self.gpus if gpu.isdigit())) if self.gpus else ():
            yield from ("--dev-bind-try", f"/dev/{name}", f"/dev/{name}")
        yield from ("--remount-ro", "/dev")

    def _files(self) -> Iterator[str]:
        for name in (*_ETC, *(("resolv.conf",) if self.has_network else ())):
            yield from _if_there("--ro-bind", Path("/etc", name))
        for name in ("passwd", "group", "hosts", "hostname"):
            yield from ("--ro-bind", str(self.room / "etc" / name), f"/etc/{name}")
        yield from ("--bind", str(self.room / "work"), str(WORK), "--bind", str(self.room / "tmp"), "/tmp")  # noqa: S108
        yield from ("--dir", "/run", "--dir", "/var", "--symlink", "/tmp", "/var/tmp")  # noqa: S108
        for place in self.readable:
            yield from ("--ro-bind", str(place), str(place))
        for place in self.writable:
            yield from ("--bind", str(place), str(place))
        for target, source in self.placed.items():
            yield from ("--ro-bind", str(source), str(target))


def _system() -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for name in _SYSTEM:
        place = Path("/", name)
        if place.is_symlink():
            yield from ("--symlink", str(place.readlink()), str(place))
        elif place.is_dir():
            yield from ("--ro-bind", str(place), str(place))


def _if_there(option: str, place: Path) -> Iterator[str]:
    """Links followed: what they lead to may lie where nothing is seen inside."""
    if place.exists():
        yield from (option, os.path.realpath(place), str(place))


def interpreter_of(environment: Path) -> tuple[Path, ...]:
    """What has to be seen besides an environment so that its Python runs: that which it was made of."""
    said = environment / "pyvenv.cfg"
    found = re.search(r"^home\s*=\s*(.+?)\s*$", said.read_text(), re.MULTILINE) if said.is_file() else None
    if found is None:
        return ()
    home = Path(found[1])
    # A link's own place, and where it leads to: uv names the first, and libraries are found from the second.
    places = {home.parent, Path(os.path.realpath(environment / "bin" / "python")).parent.parent}
    # Only what is an interpreter's own folder: `~/bin/python` must not show the home.
    return tuple(sorted(place for place in places if _may_be_shown(place) and any(place.glob("lib*/python*"))))


def _may_be_shown(place: Path) -> bool:
    """Not what is seen anyway, and nothing that leads up again, such as `/tmp/..`."""
    return not _is_seen(place) and ".." not in place.parts and os.path.realpath(place) != "/"


def _is_seen(place: Path) -> bool:
    return any(place.is_relative_to(known) for known in ("/usr", "/bin", "/lib")) or place == Path("/")


def all_seen(places: Iterable[Path]) -> tuple[Path, ...]:
    """Those that are there and that the system's own folders don't hold anyway."""
    return tuple(dict.fromkeys(place for place in places if place.exists() and not _is_seen(place)))
