"""The files that the demo's runs leave: a report, tables, settings, a page and a picture, all made from the run."""

from __future__ import annotations

import csv
import html
import io
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from apps.experiments.demo.curves import Curve
from apps.experiments.demo.stories import DemoExperiment, DemoRun

Picture = np.ndarray[Any, np.dtype[np.uint8]]

_WIDTH, _HEIGHT, _MARGIN = 640, 320, 24
_INKS = ((11, 99, 117), (180, 71, 47), (133, 83, 0), (27, 107, 58))


def files_of(story: DemoExperiment, run: DemoRun) -> Iterator[tuple[str, bytes]]:
    """Paths and contents."""
    yield "report.md", _report(story, run).encode()
    yield "config/params.json", json.dumps(run.params, indent=2).encode()
    yield "logs/train.log", _log(run).encode()
    if histories := {key: curve for key, curve in run.metrics.items() if len(curve) > 1}:
        yield "tables/history.csv", _table(histories).encode()
        yield "plots/curves.png", png(_drawn(list(histories.values())))
    yield "summary.html", _page(run).encode()


def png(picture: Picture) -> bytes:
    """An RGB picture (height, width, 3) as a PNG file."""
    height, width, _ = picture.shape
    rows = b"".join(b"\x00" + row.tobytes() for row in picture)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(rows, 9)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _drawn(curves: list[Curve]) -> Picture:
    """Each curve scaled to the picture's height, in an ink of its own."""
    picture = np.full((_HEIGHT, _WIDTH, 3), 255, dtype=np.uint8)
    picture[_HEIGHT - _MARGIN, _MARGIN:-_MARGIN] = picture[_MARGIN : _HEIGHT - _MARGIN, _MARGIN] = (195, 204, 212)
    for curve, ink in zip(curves, _INKS, strict=False):
        values = curve[~np.isnan(curve)]
        span = float(values.max() - values.min()) or 1.0
        across = np.arange(_MARGIN, _WIDTH - _MARGIN)
        at = np.interp(across, np.linspace(_MARGIN, _WIDTH - _MARGIN, len(values)), (values - values.min()) / span)
        down = (_HEIGHT - _MARGIN - at * (_HEIGHT - 2 * _MARGIN)).astype(int)
        for thick in (-1, 0, 1):
            picture[np.clip(down + thick, 0, _HEIGHT - 1), across] = ink
    return picture


def _last(curve: Curve) -> str:
    return f"{curve[-1]:.5g}"


def _report(story: DemoExperiment, run: DemoRun) -> str:
    rows = "\n".join(f"| {key} | {_last(curve)} | {len(curve)} |" for key, curve in run.metrics.items())
    return (
        f"# {run.name}\n\nTrained by `{story.script}` on **{story.dataset.name}** ({story.dataset.rows:,} rows).\n\n"
        f"| metric | last | values |\n|---|---|---|\n{rows}\n"
    )


def _table(histories: dict[str, Curve]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["step", *histories])
    for step in range(max(map(len, histories.values()))):
        cells = (f"{curve[step]:.6g}" if step < len(curve) else "" for curve in histories.values())
        writer.writerow([step, *cells])
    return out.getvalue()


def _log(run: DemoRun) -> str:
    lines = [f"{key} = {value}" for key, value in run.params.items()]
    for key, curve in run.metrics.items():
        lines += [f"step {step:4d}  {key} {curve[step]:.5g}" for step in range(0, len(curve), max(1, len(curve) // 8))]
    lines.append(run.tags.get("error", f"{run.status.lower()} after {run.minutes:.1f} min"))
    return "\n".join(lines) + "\n"


def _page(run: DemoRun) -> str:
    rows = "".join(f"<tr><th>{html.escape(key)}</th><td>{_last(curve)}</td></tr>" for key, curve in run.metrics.items())
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(run.name)}</title>"
        f"<style>body{{font:15px system-ui;margin:2rem}}th{{text-align:left;padding-right:2rem}}</style>"
        f"<h1>{html.escape(run.name)}</h1><table>{rows}</table></html>"
    )
