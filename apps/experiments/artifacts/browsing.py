"""Looking into a folder of files on a page: a tree, previews, and what a preview fetches.

Nothing that a file holds runs with our origin: pictures of pixels are sent as pictures, whatever a browser could run is
sent into a sandbox without origin and network, and everything else only as an attachment.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header

from apps.core.http import ActorRequest, is_fragment
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import ROOT, ArtifactFolder
from apps.experiments.artifacts.store import Entry
from apps.experiments.selectors import previews

_ENTRIES_SHOWN = 1_000
_SYMBOLS = {"image": "image", "frame": "code", "table": "table", "json": "code", "text": "code", "model": "model"}

# Scripts of a logged page (plots) may draw, and reach nobody: an opaque origin, no network, no forms, no navigation.
_SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob: data:; "
    "style-src 'unsafe-inline' data:; img-src data: blob:; font-src data:; media-src data: blob:; worker-src blob:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)


def raw(request: ActorRequest, folder: ArtifactFolder) -> HttpResponseBase:
    """One file, `?path=`: for the preview, or with `?download=1` as an attachment. Let the page itself frame it."""
    path = ArtifactPath.parse(request.GET.get("path", ""))
    size = folder.file(path).size
    shown_as = "" if request.GET.get("download") else previews.media_type_of(path.name)
    response = StreamingHttpResponse(folder.open(path), content_type=shown_as or "application/octet-stream")
    response["Content-Length"] = str(size)
    response["Content-Disposition"] = content_disposition_header(not shown_as, path.name) or "attachment"
    response["Cache-Control"] = "private, no-cache"
    response["Content-Security-Policy"] = _SANDBOX
    return response


def part(request: ActorRequest, folder: ArtifactFolder) -> HttpResponse | None:
    """What htmx asks for: the list of a folder (`?folder=`), or the preview of a file (`?path=`). None for a page."""
    if not is_fragment(request):
        return None
    if "folder" in request.GET:
        listed = _listing(folder, ArtifactPath.parse_or_root(request.GET["folder"]))
        return render(request, "experiments/_artifact_list.html", {"base_url": request.path, **listed})
    return render(request, "experiments/_artifact_preview.html", _preview_context(request, folder))


def files_context(request: ActorRequest, folder: ArtifactFolder) -> dict[str, Any]:
    """What `experiments/_artifacts.html` shows; files are fetched from `raw/` below the page's address."""
    return {"base_url": request.path, **_listing(folder, ROOT), **_preview_context(request, folder)}


def _listing(folder: ArtifactFolder, path: ArtifactPath) -> dict[str, Any]:
    entries = sorted(folder.list(path), key=lambda entry: (not entry.is_dir, entry.path))
    shown = [_row(entry) for entry in entries[:_ENTRIES_SHOWN]]
    return {"entries": shown, "entries_cut": len(entries) > _ENTRIES_SHOWN}


def _row(entry: Entry) -> dict[str, Any]:
    name = entry.path.rpartition("/")[2]
    symbol = _SYMBOLS.get(previews.kind_of(name), "file")
    return {"path": entry.path, "name": name, "is_dir": entry.is_dir, "size": entry.size, "symbol": symbol}


def _preview_context(request: ActorRequest, folder: ArtifactFolder) -> dict[str, Any]:
    if not request.GET.get("path"):
        return {"chosen": None, "preview": None}
    path = ArtifactPath.parse(request.GET["path"])
    size = folder.file(path).size
    raw = f"{request.path}raw/?{urlencode({'path': str(path)})}"
    chosen = {"path": str(path), "name": path.name, "size": size, "raw": raw, "download": f"{raw}&download=1"}
    return {"chosen": chosen, "preview": _preview(folder, path, size)}


def _preview(folder: ArtifactFolder, path: ArtifactPath, size: int) -> previews.Preview:
    kind = previews.kind_of(path.name)
    if previews.needs_content(kind):
        head = folder.head(path, min(size, previews.TEXT_BYTES))
        return previews.preview(path.name, head, is_cut=size > len(head))
    return previews.Preview("large" if kind != "none" and size > previews.FRAMED_BYTES else kind)
