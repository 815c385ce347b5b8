from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import InvalidInput
from apps.registry.mlmodel import MAX_BYTES, BrokenMLmodel, parse_mlmodel
from apps.registry.signatures import Column, parse_signature
from tests.registry.gates.test_files import SIGNED

KEYS = ("type", "name", "required", "default", "tensor-spec", "dtype", "shape", "items", "values", "properties")
BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\nflavors: {}\n"
PROGRAM = "flavors: !!python/object/apply:os.system ['touch /tmp/slipway-was-here']\n"


def test_what_the_file_says() -> None:
    model = parse_mlmodel(SIGNED.encode())
    assert model.signature is not None
    assert model.signature.inputs == (Column("petal length", "double"),)
    assert model.signature.outputs == (Column("", "int64 (-1)"),)
    assert model.signature.params == ()
    assert model.python_version == "3.11.2"
    assert model.input_example is not None
    assert model.input_example.path == "input_example.json"


@pytest.mark.parametrize(
    ("fields", "types"),
    [
        ('[{"type": "array", "items": {"type": "long"}, "name": "a"}]', ["array of long"]),
        ('[{"type": "map", "values": {"type": "string"}}]', ["map of string"]),
        ('[{"type": "object", "properties": {"n": {"type": "string"}}}]', ["{n: string}"]),
        ('[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 4]}}]', ["float64 (-1, 4)"]),
        ('[{"type": {"a": 1}}, {}]', ['{"a":1}', ""]),
    ],
)
def test_types_in_short(fields: str, types: list[str]) -> None:
    model = parse_mlmodel(f"flavors: {{}}\nsignature: {{inputs: '{fields.replace(chr(39), '')}'}}".encode())
    assert model.signature is not None
    assert [column.type for column in model.signature.inputs] == types


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"\x00",
        b"[",
        b"a: b: c",
        b"- a",
        b"flavors: 3",
        b"flavors: [a]",
        b"flavors: {a: b}",
        b"? [a]\n: b",
        b"flavors: {}\nsignature: 3",
        b"flavors: {}\nsignature: {inputs: '{'}",
        b"flavors: {}\nsignature: {inputs: '{}'}",
        b"flavors: {}\nsignature: {inputs: '[1]'}",
        b"x" * (MAX_BYTES + 1),
        BOMB.encode(),
        PROGRAM.encode(),
        b"flavors: {}\na: " + b"[" * 100_000,
        b"flavors: {}\na: " + b"{a: " * 100_000,
        b"flavors: {}\na: [" + b"x," * 100_000,
        b"flavors: {}\nsignature: {inputs: '" + b"[" * 100_000 + b"'}",
    ],
)
def test_what_is_broken_or_hostile_is_refused_at_once(content: bytes) -> None:
    began = time.process_time()
    with pytest.raises(BrokenMLmodel):
        parse_mlmodel(content)
    assert time.process_time() - began < 5


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_whatever_it_holds_it_is_read_or_broken(content: bytes) -> None:
    with suppress(BrokenMLmodel):
        parse_mlmodel(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers(-(2**70), 2**70) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=5),
    max_leaves=20,
)


@given(JSON)
def test_whatever_a_signature_holds_it_is_read_or_broken(inputs: Any) -> None:
    for signature in ({"inputs": json.dumps([inputs])}, {"inputs": json.dumps(inputs)}, inputs):
        with suppress(InvalidInput):
            parse_signature(signature)


def test_a_type_of_great_depth_is_shown_in_short() -> None:
    deep = "[" * 900 + "]" * 900
    for spec in (f'{{"type": {deep}}}', f'{{"name": "a", "type": "x", "default": {deep}}}'):
        found = parse_signature({"inputs": f"[{spec}]"})
        assert found is not None
        assert "…" in (found.inputs[0].type, found.inputs[0].default)


def test_values_are_texts_and_nothing_else() -> None:
    model = parse_mlmodel(b"flavors: {a: {n: 0x10, d: 2026-13-45, s: 1:60:60}}\nmodel_size_bytes: 1.5\nrun_id: null\n")
    assert model.flavors == {"a": {"n": "0x10", "d": "2026-13-45", "s": "1:60:60"}}
    assert (model.size_bytes, model.run_id) == ("1.5", "")
