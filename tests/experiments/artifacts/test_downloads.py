from __future__ import annotations

import pytest

from apps.core.errors import RangeNotSatisfiable
from apps.experiments.artifacts.downloads import attachment, media_type, parse_range
from tests.experiments.artifacts.files import STORE, call, content, make_run, put, run_root
from tests.personas import People


@pytest.fixture
def address(people: People) -> str:
    root = run_root(make_run(people.ada))
    put(people.ada, root, "digits.txt", b"0123456789")
    return f"{STORE}/{root}/digits.txt"


@pytest.mark.parametrize(
    ("asked", "got", "shown"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
    ],
)
def test_ranges(asked: str, got: bytes, shown: str, people: People, address: str) -> None:
    response = call(people.ada, "GET", address, range=asked)
    assert (response.status_code, content(response), response["Content-Range"]) == (206, got, shown)
    assert response["Content-Length"] == str(len(got))


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_ranges_outside_of_the_file(asked: str, people: People, address: str) -> None:
    response = call(people.ada, "GET", address, range=asked)
    assert response.status_code == 416
    assert response["Content-Range"] == "bytes */10"


@pytest.mark.parametrize("asked", ["bytes=3-1", "bytes=a-b", "bytes=-", "lines=1-2", "bytes=0-1,3-4", "bytes"])
def test_what_is_no_single_range_gets_the_whole(asked: str, people: People, address: str) -> None:
    response = call(people.ada, "GET", address, range=asked)
    assert (response.status_code, content(response)) == (200, b"0123456789")


def test_an_empty_file_has_no_ranges() -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range("bytes=0-0", 0)


def test_a_download_goes_on_only_with_the_same_file(people: People, address: str) -> None:
    tag = call(people.ada, "GET", address)["ETag"]
    assert call(people.ada, "GET", address, range="bytes=2-", if_range=tag).status_code == 206
    assert call(people.ada, "GET", address, if_none_match=tag).status_code == 304
    call(people.ada, "PUT", address, b"abcdefghijk")
    changed = call(people.ada, "GET", address, range="bytes=2-", if_range=tag)
    assert (changed.status_code, content(changed)) == (200, b"abcdefghijk")


def test_head_says_all_and_sends_nothing(people: People, address: str) -> None:
    response = call(people.ada, "HEAD", address)
    assert (response.status_code, response["Content-Length"], content(response)) == (200, "10", b"")
    assert response["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.xhtml", "a.xml", "a.js", "a.pdf", "a.htm", "a", "a.unknown"])
def test_what_a_browser_could_run_is_plain_bytes(name: str) -> None:
    assert media_type(name) == "application/octet-stream"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.json", "text/plain; charset=utf-8"), ("MLmodel", "text/plain; charset=utf-8"), ("a.png", "image/png")],
)
def test_types_by_name(name: str, kind: str) -> None:
    assert media_type(name) == kind


def test_a_file_name_makes_one_clean_header() -> None:
    assert attachment('a "b"\r\nX: y.txt') == 'attachment; filename="a \\"b\\"X: y.txt"'
    assert attachment("a\u202egnp.exe") == 'attachment; filename="agnp.exe"'
    assert attachment("\u202e") == 'attachment; filename="file"'
