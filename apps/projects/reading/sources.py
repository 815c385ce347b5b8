"""Where projects come from: a folder here, a zip file, a Git repository. Git is asked by its own program."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from apps.core.errors import InvalidInput, Unavailable
from apps.core.paths import ArtifactPath
from apps.projects.reading.archives import unpack
from apps.runtime.limits import GIT_SECONDS

_WITH_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://", re.IGNORECASE)
# user@host:path, as Git writes addresses for ssh.
_SCP_LIKE = re.compile(r"[\w.-]+@[\w.-]+:[^:]")
_UNCLEAR = re.compile(r"[\x00-\x1f\x7f\\]")
_REFERENCE = re.compile(r"[A-Za-z0-9_][\w./-]{0,249}")
_SCHEMES = ("https", "http", "ssh", "git")
# Nothing of a repository is executed, nobody is asked for a password, and no other way of transport is taken.
_GIT = (
    *("git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.ext.allow=never"),
    *("-c", "submodule.recurse=false", "-c", "filter.lfs.smudge=", "-c", "filter.lfs.process="),
    *("-c", "filter.lfs.required=false"),
)
# Runs git with arguments, in a folder, with an environment, filling another; raises `InvalidInput` where it fails.
Git = Callable[[Sequence[str], Path, Mapping[str, str], Path], None]


@dataclass(frozen=True, slots=True)
class GitState:
    """What Git says of a folder; `branch` only where somebody named one."""

    commit: str = ""
    repo_url: str = ""
    branch: str = ""
    is_dirty: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """A project's folder here. `uri` is where it came from, as the protocol writes it."""

    folder: Path
    uri: str
    git: GitState = GitState()


def is_git(uri: str) -> bool:
    """Whether an address is one of Git's."""
    address = uri.partition("#")[0]
    return bool(_WITH_SCHEME.match(address) or _SCP_LIKE.match(address) or address.startswith("git@"))


def fetch(
    uri: str,
    into: Path,
    *,
    version: str = "",
    local: bool = False,
    reach: Callable[[str], Sequence[str]] | None = None,
    git: Git | None = None,
) -> Fetched:
    """The project that `uri` names; what has to be copied is put below the empty folder `into`.

    `local`: on the caller's own machine, where also `file://` repositories are read. `reach` says whether a
    repository may be asked, and gives options for Git (`reach.reachable`); `git` runs what takes long. Raises
    `InvalidInput`.
    """
    address, _, subfolder = uri.partition("#")
    if is_git(address):
        return _cloned(address, subfolder, version, into, local, reach(address) if reach else (), git)
    place = Path(address)
    if version and not (place / ".git").exists():
        raise InvalidInput("A version can be named for Git repositories only.")
    if place.is_file() and place.suffix == ".zip":
        unpack(place, into)
        return Fetched(below(only_folder(into), subfolder), uri)
    if place.is_dir():
        if version:
            return _cloned(str(place.resolve()), subfolder, version, into, local, ())
        folder = below(place.resolve(), subfolder)
        return Fetched(folder, _name_of(folder), state_of(folder))
    raise InvalidInput(f"'{uri[:500]}' is neither a folder, a zip file nor a Git repository.")


def _name_of(folder: Path) -> str:
    """As the protocol's own tools name a folder: in a work tree `file://ROOT#FOLDER`, else its path."""
    try:
        root = Path(_git("rev-parse", "--show-toplevel", at=folder))
    except (InvalidInput, Unavailable):
        return str(folder)
    inner = folder.relative_to(root).as_posix() if folder.is_relative_to(root) else "."
    return f"file://{root}" + ("" if inner == "." else f"#{inner}")


def state_of(folder: Path) -> GitState:
    """The commit and origin of a folder that lies in a work tree; nothing where it doesn't, or there is no Git."""
    try:
        commit = _git("rev-parse", "--verify", "HEAD", at=folder)
        origin = _git("config", "--get", "remote.origin.url", at=folder, may_fail=True)
        dirty = _git("status", "--porcelain", "--untracked-files=no", "--", ".", at=folder, may_fail=True)
    except (InvalidInput, Unavailable):
        return GitState()
    return GitState(commit, _without_password(origin), is_dirty=bool(dirty))


def check_git_address(address: str, *, local: bool = False) -> None:
    """Raise `InvalidInput` for what Git would take for an option or a program, and for files of this machine."""
    scheme = _WITH_SCHEME.match(address)
    known = scheme["scheme"].lower() in (*_SCHEMES, *(("file",) if local else ())) if scheme else False
    plain = bool(_SCP_LIKE.match(address)) or (local and Path(address).is_absolute())
    # What is no letter is read otherwise by whoever looks at the host than by Git.
    if address.startswith("-") or "::" in address.partition("/")[0] or not (known or plain) or _UNCLEAR.search(address):
        raise InvalidInput(f"'{address[:500]}' can't be cloned; a repository is at one of {', '.join(_SCHEMES)}.")
    if scheme and scheme["scheme"].lower() == "ssh" and re.match(r"ssh://[^/@]*@?-", address):
        raise InvalidInput(f"'{address[:500]}' can't be cloned.")


def check_reference(version: str) -> None:
    """Raise `InvalidInput` for what can't be a commit, branch or tag; none at all is one."""
    if version and not _REFERENCE.fullmatch(version):
        raise InvalidInput(f"'{version[:100]}' can't be a commit, branch or tag.")


def _cloned(
    address: str,
    subfolder: str,
    version: str,
    into: Path,
    local: bool,
    options: Sequence[str],
    git: Git | None = None,
) -> Fetched:
    check_git_address(address, local=local)
    check_reference(version)
    clone = ("clone", "--quiet", "--no-checkout", "--", address, str(into))
    _git(*options, *clone, at=into.parent, local=local, by=git, into=into)
    branch = _checkout(into, version, git)
    commit = _git("rev-parse", "--verify", "HEAD", at=into)
    uri = address + (f"#{subfolder}" if subfolder else "")
    return Fetched(below(into, subfolder), _without_password(uri), GitState(commit, _without_password(address), branch))


def _checkout(folder: Path, version: str, git: Git | None) -> str:
    """Check out what was asked for; the branch's name, where it was one."""
    if not version:
        _git("checkout", "--quiet", at=folder, by=git, into=folder)
        return ""
    branch = _git("rev-parse", "--verify", "--quiet", f"refs/remotes/origin/{version}", at=folder, may_fail=True)
    wanted = branch or _git("rev-parse", "--verify", "--quiet", f"{version}^{{commit}}", at=folder, may_fail=True)
    if not wanted:
        raise InvalidInput(f"The repository has no commit, branch or tag '{version}'.")
    _git("checkout", "--quiet", "--detach", wanted, at=folder, by=git, into=folder)
    return version if branch else ""


def below(folder: Path, subfolder: str) -> Path:
    """A folder of a project; the project itself for none. Raises `InvalidInput`."""
    if not subfolder:
        return folder
    place = folder.joinpath(*ArtifactPath.parse(subfolder.strip("/")).segments)
    if not place.is_dir() or not place.resolve().is_relative_to(folder.resolve()):
        raise InvalidInput(f"The project has no folder '{subfolder[:200]}'.")
    return place


def only_folder(folder: Path) -> Path:
    """Where an archive holds one folder and nothing beside it, that is the project."""
    found = list(folder.iterdir())
    return found[0] if len(found) == 1 and found[0].is_dir() else folder


def _git(
    *arguments: str,
    at: Path,
    may_fail: bool = False,
    local: bool = False,
    by: Git | None = None,
    into: Path | None = None,
) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    allowed = ":".join((*_SCHEMES, *(("file",) if local else ())))
    env |= {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": allowed, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    env |= {"GIT_LFS_SKIP_SMUDGE": "1"}
    if by is not None:
        by([*_GIT, *arguments], at, env, into or at)
        return ""
    try:
        done = subprocess.run(
            [*_GIT, *arguments], cwd=at, env=env, capture_output=True, timeout=GIT_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise InvalidInput("Git is not installed here.") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"Git took longer than {GIT_SECONDS} seconds.") from error
    if done.returncode and not may_fail:
        said = _without_password(done.stderr.decode(errors="replace").strip()[-500:])
        raise InvalidInput(f"Git refused: {said or 'it gave no reason'}")
    return "" if done.returncode else done.stdout.decode(errors="replace").strip()


def _without_password(text: str) -> str:
    return re.sub(r"://[^/@\s]*@", "://", text)
