"""Secrets of a run, in what its log shows of them."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.projects.execution.log_text import Mask
from apps.projects.execution.output import LINE_BYTES, LogWriter
from tests.projects.logs.test_output import logged, writer

SECRET = 'p@ss/w"rd +ü~?'
KEY = "-----BEGIN KEY-----\n  MIIEowIBAAKCAQEA\nab\n-----END KEY-----\n"


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        repr(SECRET)[1:-1],
    ],
)
def test_a_secret_in_the_forms_that_programs_print(form: str) -> None:
    assert logged(f"before {form} after\n".encode(), secrets=[SECRET]) == ["before *** after"]


@pytest.mark.parametrize("user", ["", "u", "us", "usr", "user"])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_a_secret_in_base64_wherever_it_lies(user: str, encode: object) -> None:
    assert callable(encode)
    sent = encode(f"{user}:{SECRET}".encode()).decode()
    [line] = logged(f"Authorization: Basic {sent}\n".encode(), secrets=[SECRET])
    assert "***" in line
    # What is left of it is the user's name and a few bits.
    assert len(line.replace("***", "")) <= len("Authorization: Basic ") + len(f"{user}:") * 4 // 3 + 7


def test_each_line_of_a_secret_of_several() -> None:
    output = f"{KEY}MIIEowIBAAKCAQEA again, ab stays\n"
    assert logged(output.encode(), secrets=[KEY]) == ["***", "  ***", "ab", "***", "*** again, ab stays"]


def test_the_longest_goes_first_and_what_overlaps_goes_whole() -> None:
    assert logged(b"abcdefgh abcd cdefghij\n", secrets=["abcd", "abcdefgh"]) == ["*** *** cdefghij"]
    assert logged(b"x abcdefghij y\n", secrets=["abcdef", "efghij"]) == ["x *** y"]
    assert logged(b"aaaaa\n", secrets=["aaaa"]) == ["***"]


def test_a_secret_that_colours_part() -> None:
    output = b"\x1b[1mtoken \x1b[36m4711\x1b[0m-hunter\x1b[2K2\x1b[31m!\n"
    assert logged(output, secrets=["4711-hunter2"]) == ["\x1b[1mtoken \x1b[36m***\x1b[0m\x1b[31m!"]


@pytest.mark.parametrize("before", range(LINE_BYTES - 20, LINE_BYTES + 4))
def test_a_secret_where_a_long_line_is_cut(before: int) -> None:
    lines = logged(b"x" * before + b"hunter2-secret" + b"y" * LINE_BYTES, secrets=["hunter2-secret"])
    assert "".join(lines) == "x" * before + "***" + "y" * LINE_BYTES


@given(st.integers(0, 13), st.integers(0, 13))
def test_a_secret_that_comes_in_pieces_is_never_shown(first: int, second: int) -> None:
    secret, output = "hunter2-secret", b"token hunter2-secret"
    log: LogWriter = writer(secrets=[secret])
    tails = []
    for start, end in ((0, 6 + first), (6 + first, 6 + max(first, second)), (6 + max(first, second), len(output))):
        log.feed(output[start:end])
        tails.append(log.tail)
    assert tails == ["token ", "token ", "token ***"]


@pytest.mark.parametrize("secrets", [[], [""], [" \n "], ["\x00"]])
def test_nothing_is_hidden_where_there_is_no_secret(secrets: list[str]) -> None:
    assert Mask(secrets).hide(b"a line\n") == b"a line\n"
