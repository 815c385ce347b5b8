"""A cache of environments in a folder: one for each content, built once, read by many, cleaned by size.

A folder counts when its mark is beside it; a build that was killed leaves none and is begun anew. Whoever uses an
environment holds a shared lock on it, so that cleaning takes none that is in use. What is in a folder was written by
packages, so by anybody: nothing that this process trusts or writes to lies there under a name that they can know.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import IO

from apps.core.errors import InvalidInput
from apps.runtime.environments.needs import Needs, conda_here

BUILD_SECONDS = 1800
_MARK = ".ready"
_MOST_SAID = 64 * 1024
_LOOK_SECONDS = 0.1
Say = Callable[[str], None]
# Runs a program, by its whole path, in a folder that it may write to; tells its lines, and raises `InvalidInput` with
# the last of them where it fails.
Run = Callable[[Sequence[str], Path, Say], None]


@dataclass(frozen=True, slots=True)
class Ready:
    """An environment to run in; `was_built` is False where it was there already."""

    folder: Path
    was_built: bool

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def variables(self, path: str) -> dict[str, str]:
        """What a child's environment needs so that its commands are found first on `path`."""
        return {"VIRTUAL_ENV": str(self.folder), "PATH": f"{self.folder / 'bin'}{os.pathsep}{path}"}


@dataclass(frozen=True, slots=True)
class Cache:
    """Environments by their content's hash, below `root`."""

    root: Path
    # How uv is called for what is trusted, and how for packages, whose builds are anybody's programs.
    run: Run | None = None
    install: Run | None = None
    # Asked again and again while somebody else builds the same; raises where nobody waits for it any more.
    check: Callable[[], None] = lambda: None

    @contextmanager
    def held(self, needs: Needs, say: Say) -> Iterator[Ready]:
        """The environment for `needs`, built now where it isn't there, and kept while the block runs.

        `say` hears each line of what is done. Raises `InvalidInput` with the reason where it can't be built.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = self.root / needs.key
        for sentence in needs.left_out:
            say(sentence)
        with (self.root / f"{needs.key}.lock").open("w") as lock:
            was_built = self._made_ready(folder, needs, lock, say)
            os.utime(self._mark(folder))
            yield Ready(folder, was_built)

    def taken(self, needs: Needs) -> tuple[Ready, IO[str]] | None:
        """The environment for `needs`, with an open file: nobody cleans it as long as a process has that open.

        None where it isn't ready, or is being built or cleaned just now.
        """
        folder = self.root / needs.key
        if not self._mark(folder).exists():
            return None
        lock = (self.root / f"{needs.key}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            os.utime(self._mark(folder))
        except (BlockingIOError, FileNotFoundError):
            lock.close()
            return None
        return Ready(folder, was_built=False), lock

    def clean(self, at_most_bytes: int) -> int:
        """Remove those that were not used for longest until the rest takes no more; how many went."""
        if not self.root.is_dir():
            return 0
        ready = sorted(self.root.glob(f"*{_MARK}"), key=lambda mark: mark.stat().st_mtime, reverse=True)
        total = removed = 0
        for mark in ready:
            total += int(mark.read_text() or 0)
            if total > at_most_bytes and self._removed(mark.with_suffix("")):
                removed += 1
        return removed

    def _made_ready(self, folder: Path, needs: Needs, lock: IO[str], say: Say) -> bool:
        """Hold the lock shared on a folder that is ready; between building and that, nobody cleans what has no mark."""
        while True:
            self._wait_for(lock, fcntl.LOCK_SH)
            if self._mark(folder).exists():
                return False
            # Two that keep theirs shared while they ask for more would wait for each other.
            fcntl.flock(lock, fcntl.LOCK_UN)
            self._wait_for(lock, fcntl.LOCK_EX)
            if not self._mark(folder).exists():
                self._build(folder, needs, say)
                fcntl.flock(lock, fcntl.LOCK_SH)
                if self._mark(folder).exists():
                    return True

    def _wait_for(self, lock: IO[str], how: int) -> None:
        while True:
            try:
                return fcntl.flock(lock, how | fcntl.LOCK_NB)
            except BlockingIOError:
                self.check()
                time.sleep(_LOOK_SECONDS)

    def _removed(self, folder: Path) -> bool:
        with (self.root / f"{folder.name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self._mark(folder).unlink(missing_ok=True)
            _remove(folder)
            return True

    def _mark(self, folder: Path) -> Path:
        return self.root / f"{folder.name}{_MARK}"

    def _build(self, folder: Path, needs: Needs, say: Say) -> None:
        _remove(folder)
        if needs.conda:
            self._conda(folder, needs, say)
        else:
            _venv(folder, needs, say, self.run or _run)
        for lines in (needs.build, needs.lines):
            if lines:
                self._install(folder, lines, say)
        _make_read_only(folder)
        self._mark(folder).write_text(str(_bytes_in(folder)))

    def _install(self, folder: Path, lines: Sequence[str], say: Say) -> None:
        # Under a new name: packages that came before could have laid a link where it leads.
        file, wanted = mkstemp(dir=folder, prefix="requirements-", suffix=".in")
        with os.fdopen(file, "w") as content:
            content.write("\n".join(lines) + "\n")
        # Compiled now: nobody can write beside the files later.
        arguments = ["pip", "install", "--compile-bytecode", "--python", str(folder / "bin" / "python")]
        arguments += ["-r", wanted]
        self._with_packages([str(uv_here()), *arguments], folder, say)

    def _with_packages(self, command: Sequence[str], folder: Path, say: Say) -> None:
        before = _interpreter(folder)
        (self.install or self.run or _run)(command, folder, say)
        if _interpreter(folder) != before:
            raise InvalidInput("The environment can't be built: one of its packages changes which Python it runs with.")

    def _conda(self, folder: Path, needs: Needs, say: Say) -> None:
        """What conda's own packages are; its pip part is installed by uv, as everywhere."""
        tool = conda_here()
        if tool is None:
            raise InvalidInput("Neither conda nor micromamba is here any more.")
        folder.mkdir(mode=0o700)
        file = folder / "conda.yaml"
        file.write_text(needs.conda)
        how = ["create", "--yes"] if Path(tool).name == "micromamba" else ["env", "create", "--yes"]
        say(f"Building with {Path(tool).name}.")
        self._with_packages([tool, *how, "--prefix", str(folder), "--file", str(file)], folder, say)


def _venv(folder: Path, needs: Needs, say: Say, run: Run) -> None:
    """Exactly the version of Python that was asked for, else one of the same minor version, and then says so."""
    minor = ".".join(needs.python.split(".")[:2])
    wanted = [needs.python, *([minor] if minor != needs.python else [])] if needs.python else [sys.executable]
    for place, python in enumerate(wanted):
        try:
            run([str(uv_here()), "venv", "--quiet", "--python", python, str(folder)], folder.parent, lambda _: None)
        except InvalidInput:
            if place == len(wanted) - 1:
                raise
            say(f"Python {python} is not here; taking another {minor}.")
        else:
            return


def _run(command: Sequence[str], at: Path, say: Say) -> None:
    process = subprocess.Popen(
        command,
        cwd=at,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    said: list[str] = []
    with process:
        for line in process.stdout or ():
            said = [*said[-20:], line.rstrip()]
            say(line.rstrip())
    if process.returncode:
        raise cant_be_built(said)


def _interpreter(folder: Path) -> tuple[bytes, str] | None:
    """What says with which Python it runs, by which a sandbox lets its runs see folders of this machine."""
    said = folder / "pyvenv.cfg"
    if not os.path.lexists(said):
        return None
    is_plain = said.is_file() and not said.is_symlink() and said.stat().st_size <= _MOST_SAID
    return said.read_bytes() if is_plain else b"", os.path.realpath(folder / "bin" / "python")


def cant_be_built(said: Sequence[str]) -> InvalidInput:
    """The refusal, with the last lines of what a builder said; where it builds, which uv says first, is no reason."""
    lines = [line for line in said if not line.startswith("Using Python ")] or said
    return InvalidInput("The environment can't be built: " + _without_password("\n".join(lines)[-2000:]))


def uv_here() -> Path:
    """uv beside this interpreter, else on PATH. Raises `InvalidInput`."""
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise InvalidInput("uv is not installed here: pip install uv.")
    return Path(found)


def _make_read_only(folder: Path) -> None:
    """So that one run can't change what the next one runs in; the folders too, or files could be replaced."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)
    for parent, folders, _ in os.walk(folder, topdown=False):
        for name in folders:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)


def _remove(folder: Path) -> None:
    if not folder.exists():
        return
    for parent, _, _ in os.walk(folder):
        Path(parent).chmod(0o700)
    shutil.rmtree(folder)


def _bytes_in(folder: Path) -> int:
    """What it takes alone: files that uv links from its own cache are counted for all who link them."""
    return sum(Path(parent, name).lstat().st_size for parent, _, names in os.walk(folder) for name in names)


def _without_password(text: str) -> str:
    return re.sub(r"://[^/@\s]*@", "://", text)
