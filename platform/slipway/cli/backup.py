"""`slipway backup`: the database and all files, in one archive."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from slipway.cli.archives import add_endpoint, begin, passphrase_of, said_of, size, told

if TYPE_CHECKING:
    from slipway.backup.saving import Saved


def main(arguments: Sequence[str]) -> int:
    """Save; 2 where it could not begin, 1 where it failed on the way."""
    options = _parser().parse_args(arguments)
    begin()
    return told(lambda: _save(options))


def _save(options: argparse.Namespace) -> int:
    import django
    from django.conf import settings

    passphrase = passphrase_of(options.passphrase_file)
    # One connection is enough, and without a pool it says at once why there is none.
    settings.DATABASES["default"]["OPTIONS"].pop("pool", None)
    django.setup()
    from slipway.backup.archive import Writer
    from slipway.backup.encryption import new_keys
    from slipway.backup.failures import BackupError
    from slipway.backup.opening import Opener, name_of, sink_at
    from slipway.backup.progress import Progress
    from slipway.backup.saving import Before, check_source, save

    check_source(options.file)
    opener = Opener(passphrase, options.s3_endpoint)
    before = Before.of(opener.open(options.since).manifest) if options.since else Before()
    sink, progress = sink_at(options.file, options.s3_endpoint), Progress("saving")
    try:
        writer = Writer(sink, new_keys(passphrase) if passphrase else None)
        with_key = bool(passphrase) or options.with_key
        saved = save(writer, name_of(options.file), before, with_key=with_key, progress=progress)
    except (Exception, KeyboardInterrupt) as error:
        sink.abandon()
        message, code = said_of(error)
        raise BackupError(f"{message} Nothing is left of {options.file}.", code) from error
    finally:
        progress.close()
    _say(options.file, saved)
    return 0


def _say(file: str, saved: Saved) -> None:
    from django.conf import settings

    from slipway import env

    manifest = saved.manifest
    counts = ", ".join(f"{count} {name}" for name, count in manifest.database.counts.items())
    lines = [f"Saved to {file}: {counts}; {manifest.count} files, {size(manifest.bytes)} with the database."]
    if len(manifest.archives) > 1:
        lines.append(f"{saved.written} files are new or changed; the others lie in these, to be kept with it:")
        lines += [f"  {source.name}" for source in manifest.archives[1:]]
    if manifest.secret_key:
        lines.append("The key of the data folder is in it.")
    else:
        where = "SLIPWAY_SECRET_KEY" if env.text("SLIPWAY_SECRET_KEY") else str(settings.DATA.secret_key)
        lines.append(f"The key is not in it: keep {where} apart from it; without the key, tokens and secrets are lost.")
    sys.stdout.write("\n".join(lines) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "slipway backup", description="Save the database and all files into one archive, while the server runs."
    )
    parser.add_argument("file", metavar="FILE", help="the archive: a new file, or s3://bucket/name")
    parser.add_argument("--since", metavar="FILE", help="leave out the files that this earlier archive has")
    parser.add_argument("--passphrase-file", metavar="FILE", help="encrypt with the first line of this file")
    parser.add_argument(
        "--with-key",
        action="store_true",
        help="take the data folder's key along although nothing is encrypted; what is encrypted has it anyway",
    )
    add_endpoint(parser)
    return parser
