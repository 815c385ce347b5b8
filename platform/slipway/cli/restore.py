"""`slipway restore`: what an archive holds, into an installation that has nothing yet."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from slipway.cli.archives import add_endpoint, begin, passphrase_of, said_of, size, told

if TYPE_CHECKING:
    from slipway.backup.archive import Reader
    from slipway.backup.manifest import Manifest
    from slipway.backup.unfinished import Mark

_LEFT = (
    "The database is not in place, so nothing can be started; {count} files were written. Repair the cause and go on "
    "with --resume."
)
_LATER = "note it, and remove the file audit_head there, or `slipway audit verify` goes on to tell what is missing."
_MOST_FINDINGS = 20


def main(arguments: Sequence[str]) -> int:
    """Restore, or check; 2 where it could not begin, 1 where it failed on the way."""
    options = _parser().parse_args(arguments)
    begin()
    return told(lambda: _restore(options))


def _restore(options: argparse.Namespace) -> int:
    from slipway.backup.opening import Opener, open_all
    from slipway.backup.unfinished import held
    from slipway.paths import DataFolder

    opener = Opener(passphrase_of(options.passphrase_file), options.s3_endpoint)
    readers = open_all(opener, options.file, options.archives)
    if options.check:
        return _check(readers)
    with held(DataFolder.of_environment(), readers[0].head.id, resume=options.resume) as mark:
        return _into_here(options, readers, mark)


def _check(readers: list[Reader]) -> int:
    from slipway.backup.checking import check
    from slipway.backup.progress import Progress

    manifest = readers[0].manifest
    progress = Progress("checking", manifest.bytes)
    try:
        check(readers, progress)
    finally:
        progress.close()
    what = f"{manifest.count} files and the database, {size(manifest.bytes)}"
    sys.stdout.write(f"{readers[0].name} of {manifest.created} is whole: {what}.\n")
    return 0


def _into_here(options: argparse.Namespace, readers: list[Reader], mark: Mark) -> int:
    from slipway.backup import keys
    from slipway.backup.failures import Damaged, Refused
    from slipway.paths import DataFolder

    manifest = readers[0].manifest
    brought = None if options.without_key else keys.take_over(DataFolder.of_environment(), manifest)
    try:
        if options.resume and _is_in_place(mark):
            return _finish(options, manifest, manifest.count)
        _prepare(manifest, resume=options.resume)
        mark.put()
        kept = _run(readers, resume=options.resume)
    except (Refused, Damaged):
        # Nothing is left of it, this neither; what was there before stays.
        if brought:
            brought.unlink()
        if not options.resume:
            mark.remove()
        raise
    mark.remove()
    return _finish(options, manifest, kept)


def _is_in_place(mark: Mark) -> bool:
    """Whether the last try put the database in place, and was stopped before it could say so."""
    _set_up()
    from slipway.backup.restoring import has_database

    if not mark.is_there() or not has_database():
        return False
    mark.remove()
    return True


def _prepare(manifest: Manifest, *, resume: bool) -> None:
    _set_up()
    from slipway.backup.restoring import check_target

    check_target(manifest, resume=resume)


def _set_up() -> None:
    import django
    from django.conf import settings

    # One connection is enough, and without a pool it says at once why there is none.
    settings.DATABASES["default"]["OPTIONS"].pop("pool", None)
    django.setup()


def _run(readers: list[Reader], *, resume: bool) -> int:
    """How many files were there already."""
    from slipway.backup.failures import BackupError, Damaged
    from slipway.backup.progress import Progress
    from slipway.backup.restoring import Restoring

    progress = Progress("restoring", readers[0].manifest.bytes)
    restoring = Restoring(readers, progress, resume)
    try:
        restoring.run()
    except Damaged as error:
        raise Damaged(f"{error.message} What this try had restored is removed again.") from error
    except (Exception, KeyboardInterrupt) as error:
        message, code = said_of(error)
        raise BackupError(f"{message} {_LEFT.format(count=len(restoring.written))}", code) from error
    finally:
        progress.close()
    return restoring.kept


def _finish(options: argparse.Namespace, manifest: Manifest, kept: int) -> int:
    from slipway.backup.restoring import later_head, pending_migrations, verify_audit_log

    counts = ", ".join(f"{count} {name}" for name, count in manifest.database.counts.items())
    what = f"{counts}; {manifest.count} files, {size(manifest.bytes)} with the database. All checksums are right."
    lines = [f"Restored {options.file} of {manifest.created}: {what}"]
    if kept:
        lines.append(f"{kept} files were there already, as they were saved.")
    code = 0
    if pending_migrations():
        lines.append(f"It is of Slipway {manifest.version}: run `slipway migrate`, then `slipway audit verify`.")
    elif options.without_key:
        lines.append("Without its key: tokens have to be made anew, and the audit log can't be verified.")
    else:
        checked, findings = verify_audit_log(manifest)
        lines.append(f"The audit log: {checked} sealed events, {len(findings)} findings.")
        lines += findings[:_MOST_FINDINGS]
        if later := later_head():
            lines.append(f"The data folder knows of a later head, {later}: {_LATER}")
        code = 1 if findings else 0
    sys.stdout.write("\n".join(lines) + "\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "slipway restore",
        description="Restore what `slipway backup` saved, into an installation without data. It starts nothing.",
    )
    parser.add_argument("file", metavar="FILE", help="the archive: a file, or s3://bucket/name")
    parser.add_argument(
        "--with",
        dest="archives",
        action="append",
        default=[],
        metavar="FILE",
        help="an earlier archive that this one builds on, where it is not beside it; may be given several times",
    )
    parser.add_argument("--passphrase-file", metavar="FILE", help="what the archive was encrypted with")
    parser.add_argument("--check", action="store_true", help="only read all of it and compare the checksums")
    parser.add_argument(
        "--resume", action="store_true", help="go on with one that was stopped: files that are there and equal are kept"
    )
    parser.add_argument(
        "--without-key", action="store_true", help="although the key is lost: tokens and sealed secrets are then, too"
    )
    add_endpoint(parser)
    return parser
