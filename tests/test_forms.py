"""Forms: what is filled in becomes the content of a use case, and faults find their fields."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.model import Problem
from api.pages.forms import Form


def form(**fields: str | list[str]) -> Form:
    """Return a form that was sent."""
    return Form.filled({name.replace("__", "/"): value for name, value in fields.items()})


@pytest.mark.parametrize(
    ("given", "content"),
    [
        ({"text": " hei "}, {"text": "hei"}),
        ({"text": "   "}, {}),
        ({"text": "a\r\nb"}, {"text": "a\nb"}),
        ({"entry/ground": "noise"}, {"entry": {"ground": "noise"}}),
        ({"facts/1/value": "b", "facts/0/value": "a"}, {"facts": [{"value": "a"}, {"value": "b"}]}),
        ({"facts/7/value": "a"}, {"facts": [{"value": "a"}]}),
        ({"units[]": ["a", "", "b"]}, {"units": ["a", "b"]}),
        ({"units[]": [""]}, {"units": []}),
        ({"told[lines]": "en\r\n\n to "}, {"told": ["en", "to"]}),
        ({"months[int]": "12"}, {"months": 12}),
        ({"months[int]": "-3"}, {"months": -3}),
        ({"months[int]": "-3-3"}, {"months": "-3-3"}),
        ({"months[int]": "1234567890"}, {"months": "1234567890"}),
        ({"months[int]": "²"}, {"months": "²"}),
        ({"months[int]": ""}, {}),
        ({"agreed[yes]": "yes"}, {"agreed": True}),
        ({"agreed[yes]": "no"}, {"agreed": False}),
        ({"agreed[yes]": ""}, {}),
        ({"_version": "3", "_to": "/x"}, {}),
        ({"name": " ", "_emptied": ["name"]}, {"name": None}),
        ({"name": "Tove", "_emptied": ["name"]}, {"name": "Tove"}),
        ({"agreed[yes]": "", "_emptied": ["agreed", "ready_on"]}, {"agreed": None, "ready_on": None}),
        ({}, {}),
    ],
)
def test_a_form_says_what_was_filled_in(given: dict[str, Any], content: dict[str, Any]) -> None:
    """Empty is not said, numbers that are none stay as they are, so that the fault is found at its place."""
    assert orjson.loads(Form.filled(given).content()) == content


def test_what_the_page_knows_comes_on_top() -> None:
    """A field that somebody adds by hand does not win over it."""
    sent = form(case="S-other", text="x")
    assert orjson.loads(sent.content({"case": "S-1", "unit": None})) == {"case": "S-1", "text": "x"}


@pytest.mark.parametrize(
    ("said", "version"), [("", None), ("3", 3), ("x", 0), ("٣", 0), ("12345678901", 0), ("-1", -1)]
)
def test_the_version_that_was_seen(said: str, version: int | None) -> None:
    """What is no number is of no version."""
    assert form(_version=said).version == version


def test_faults_find_their_fields_or_the_nearest() -> None:
    """What is about no field of the form is kept under its own place; nothing is lost."""
    sent = Form.filled({"entry/ground": "x", "units[]": ["a"], "text": "y"})
    problems = [
        Problem(path="/entry/ground", expected="et grunnlag"),
        Problem(path="/units/0", expected="en bolig"),
        Problem(path="/units/1", expected="en bolig"),
        Problem(path="/elsewhere", expected="noe"),
    ]
    again = sent.mended(problems, "Se under.")
    assert again.wrong("entry/ground") == ("et grunnlag",)
    assert again.wrong("units[]") == ("en bolig",)
    assert again.problems["elsewhere"] == ("noe",)
    assert again.problems[""] == ("Se under.",)
    assert again.value("text") == "y"
    assert again.key != sent.key


names = st.text("ab01/[]_lineytsx", max_size=12)


@given(st.dictionaries(names, st.lists(st.text(max_size=5), min_size=1, max_size=3), max_size=6))
def test_no_form_breaks_the_reading(fields: dict[str, list[str]]) -> None:
    """Whatever names somebody makes up, there is content that can be read."""
    assert isinstance(orjson.loads(Form.filled(fields).content()), dict | list)
