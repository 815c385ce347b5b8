"""Typed readers of environment variables. A wrong value stops the start with one clear line."""

from __future__ import annotations

import ipaddress
import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from apps.core.addresses import Allowed


class WrongSetting(Exception):
    """A setting that can't be used; the message names it and says what is wanted."""


def text(name: str, default: str = "") -> str:
    """The variable, or the content of the file that `<name>_FILE` names (for secrets mounted as files)."""
    file = os.environ.get(f"{name}_FILE")
    if not file:
        return os.environ.get(name, default).strip()
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        raise WrongSetting(f"{name}_FILE: {file} can't be read ({error.strerror}).") from error


def flag(name: str, *, default: bool = False) -> bool:
    """`true`/`false`, `1`/`0`, `yes`/`no`, `on`/`off`."""
    raw = text(name).lower()
    if not raw:
        return default
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    raise WrongSetting(f"{name}: {raw!r} is neither true nor false.")


def integer(name: str, default: int, *, least: int = 0) -> int:
    """A whole number of at least `least`."""
    raw = text(name)
    if not raw:
        return default
    if not raw.isascii() or not raw.isdigit() or int(raw) < least:
        raise WrongSetting(f"{name}: {raw!r} is not a whole number of at least {least}.")
    return int(raw)


def choice(name: str, default: str, *wanted: str) -> str:
    """One of the words `wanted`, in capitals."""
    raw = (text(name) or default).upper()
    if raw not in wanted:
        raise WrongSetting(f"{name}: {raw!r} is none of {', '.join(wanted)}.")
    return raw


def one_of(name: str, *wanted: str) -> str:
    """One of the words `wanted` as it is written, or empty."""
    raw = text(name)
    if raw and raw not in wanted:
        raise WrongSetting(f"{name}: {raw!r} is none of {', '.join(wanted)}.")
    return raw


def words(name: str) -> list[str]:
    """A list separated by commas."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def address(name: str) -> str:
    """An IP address of this machine that others reach, or empty."""
    raw = text(name)
    try:
        found = ipaddress.ip_address(raw) if raw else None
    except ValueError as error:
        raise WrongSetting(f"{name}: {raw!r} is no IP address.") from error
    if found is not None and found.is_unspecified:
        raise WrongSetting(f"{name}: others have to reach {raw!r}; name one address of this machine.")
    return raw


def public_url(name: str) -> str:
    """`https://host[:port]` without a path, or empty."""
    raw = text(name).rstrip("/")
    if not raw:
        return ""
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
        raise WrongSetting(f"{name}: {raw!r} is not a URL like https://slipway.example.org.")
    return raw


def database(name: str, default_file: Path) -> dict[str, Any]:
    """Django's settings for `postgresql://user:password@host:port/name[?option=value]`, else the embedded SQLite."""
    raw = text(name)
    if not raw or raw.startswith("sqlite:///"):
        return _sqlite(Path(raw.removeprefix("sqlite:///")) if raw else default_file)
    try:
        parts = urlsplit(raw)
        port = parts.port
    except ValueError as error:
        raise WrongSetting(f"{name}: the address can't be read ({error}).") from error
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise WrongSetting(f"{name}: wanted postgresql://user:password@host:port/database or sqlite:///file.")
    pool_size = integer("SLIPWAY_DATABASE_POOL", 16, least=1)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or "") or text("DATABASE_PASSWORD"),
        "HOST": parts.hostname or "",
        "PORT": str(port or ""),
        "OPTIONS": {
            **_LIVELY,
            **dict(parse_qsl(parts.query)),
            "pool": {"min_size": 1, "max_size": pool_size, "timeout": 10},
        },
    }


# A server that is gone without a word is given up within seconds: workers have to know whether their runs are theirs.
_LIVELY = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}


def _sqlite(file: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        # Opening the file anew for each request would cost more than most requests.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: what was acknowledged survives a power cut, not only a crash of ours.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
        },
    }


def artifact_store(name: str) -> tuple[str, str]:
    """`(bucket, prefix)` of `s3://bucket/prefix`; two empty strings for files in the data folder."""
    raw = text(name)
    if not raw:
        return "", ""
    _check_bucket(name, raw)
    parts = urlsplit(raw)
    return parts.netloc, parts.path.strip("/")


def buckets(name: str) -> list[str]:
    """Places of the form `s3://bucket/prefix`, separated by commas."""
    places = words(name)
    for place in places:
        _check_bucket(name, place)
    return places


def _check_bucket(name: str, raw: str) -> None:
    parts = urlsplit(raw)
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
        raise WrongSetting(f"{name}: {raw!r} is not of the form s3://bucket/prefix.")


def outgoing(name: str) -> Allowed:
    """Host names, addresses and networks, separated by commas."""
    try:
        return Allowed.of(words(name))
    except ValueError as error:
        raise WrongSetting(f"{name}: {error}.") from error


def folders(name: str) -> tuple[Path, ...]:
    """Folders that are there, by whole paths, separated by colons."""
    found = tuple(Path(entry).expanduser() for entry in text(name).split(":") if entry.strip())
    for folder in found:
        if not folder.is_absolute() or not folder.is_dir():
            raise WrongSetting(f"{name}: '{folder}' is not the whole path of a folder that is there.")
    return found


def volumes(name: str) -> list[tuple[Path, bool]]:
    """Folders of the host, separated by commas, to read from; with `:rw` at the end to write to, too."""
    found = []
    for word in words(name):
        path = Path(word.removesuffix(":rw").removesuffix(":ro"))
        if not path.is_absolute() or len(path.parts) < 2 or ":" in str(path):
            raise WrongSetting(f"{name}: {word!r} is not of the form /folder or /folder:rw.")
        # As it is when a project asks: the way there may have links in it.
        found.append((path.resolve(), word.endswith(":rw")))
    return found


def repository(name: str) -> str:
    """The name of images without a tag, such as `registry.example.org:5000/team/serving`, or empty."""
    raw = text(name)
    if raw and not re.fullmatch(r"(?:[A-Za-z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*", raw):
        raise WrongSetting(f"{name}: {raw!r} is no image's name without a tag, such as registry.example.org/serving.")
    return raw


def label(name: str) -> str:
    """A name as clusters have them, such as `team-a`, or empty."""
    raw = text(name)
    if raw and not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", raw):
        raise WrongSetting(f"{name}: {raw!r} is no name of small letters, digits and dashes.")
    return raw


def mail(name: str) -> dict[str, Any]:
    """Django's settings for `smtp://user:password@host:port` (with STARTTLS where the port is 587) or `smtps://…`.

    Without one, mails are written to the log.
    """
    raw = text(name)
    if not raw:
        return {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
    try:
        parts = urlsplit(raw)
        port = parts.port
    except ValueError as error:
        raise WrongSetting(f"{name}: the address can't be read ({error}).") from error
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise WrongSetting(f"{name}: wanted smtp://user:password@host:port or smtps://….")
    implicit = parts.scheme == "smtps"
    port = port or (465 if implicit else 25)
    return {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "HOST": parts.hostname,
        "PORT": port,
        "HOST_USER": unquote(parts.username or ""),
        "HOST_PASSWORD": unquote(parts.password or ""),
        "USE_SSL": implicit,
        "USE_TLS": not implicit and port == 587,
    }


def redis_url(name: str, default: str) -> str:
    """`redis://…`, `rediss://…` or `unix:///socket`."""
    raw = text(name) or default
    if urlsplit(raw).scheme not in {"redis", "rediss", "unix"}:
        raise WrongSetting(f"{name}: {raw!r} is not of the form redis://host:port/db, rediss://… or unix:///socket.")
    return _with_password(raw, text("REDIS_PASSWORD"))


def _with_password(url: str, password: str) -> str:
    """What the address has itself goes before."""
    parts = urlsplit(url)
    if not password or parts.password or not parts.hostname:
        return url
    return parts._replace(
        netloc=f"{parts.username or ''}:{quote(password, safe='')}@{parts.netloc.rpartition('@')[2]}"
    ).geturl()


def tracing() -> str:
    """Where spans go: what the standard variables of OpenTelemetry say; empty where nothing is to be traced.

    Raises also where what sends them is not installed.
    """
    off, exporter = text("OTEL_SDK_DISABLED").lower() == "true", text("OTEL_TRACES_EXPORTER").lower()
    name = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" if text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") else _OTLP
    raw = text(name)
    if off or exporter == "none" or not raw:
        return ""
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise WrongSetting(f"{name}: {raw!r} is not a URL like http://collector:4318.")
    protocol = text("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or text("OTEL_EXPORTER_OTLP_PROTOCOL") or "http/protobuf"
    if protocol != "http/protobuf":
        raise WrongSetting(f"OTEL_EXPORTER_OTLP_PROTOCOL: {protocol!r} is not spoken here; http/protobuf is.")
    if not all(_is_installed(module) for module in _TRACING):
        raise WrongSetting(f"{name}: tracing wants what `pip install slipway[otel]` installs.")
    return raw


_OTLP = "OTEL_EXPORTER_OTLP_ENDPOINT"
_TRACING = ("opentelemetry.exporter.otlp.proto.http", "opentelemetry.instrumentation.celery", "opentelemetry.sdk")


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def networks(name: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """IP addresses and networks, separated by commas."""
    try:
        return tuple(ipaddress.ip_network(word) for word in words(name))
    except ValueError as error:
        raise WrongSetting(f"{name}: {error}.") from error
