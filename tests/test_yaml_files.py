"""YAML by one library and one set of rules, which are those of DVC."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import yaml as another_program
from dvc.utils.serialize import parse_yaml as dvc_parse
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.errors import MissingFileError
from pipeline.workspace import PROJECT
from pipeline.yaml_files import (
    MAX_DEPTH,
    NotYamlError,
    format_yaml,
    parse_to_edit,
    parse_yaml,
    read_yaml,
)

HERE = Path("some.yaml")
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(f'*{before}' for _ in range(10))}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("parse", [parse_yaml, parse_to_edit])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2", "duplicate key"),
        ("a: {b: 1, b: 2}", "duplicate key"),
        ("[" * 20_000, f"more than {MAX_DEPTH} deep"),
        ("[" * 200_000 + "]" * 200_000, f"more than {MAX_DEPTH} deep"),
        ("{a: " * 20_000, f"more than {MAX_DEPTH} deep"),
        ("- " * 20_000, f"more than {MAX_DEPTH} deep"),
        (BOMB, "more than 1,000,000 values"),
        ("a: &a [*a]", "stands for nothing whole"),
        ("a: *b", "stands for nothing whole"),
        ("a: !!python/object/apply:os.system [touch pwned]", "is not read"),
        ("a: !!bool x", "is not read"),
        ("%YAML 1.1\n---\na: no", "is not read"),
        ("a: 2030-13-45", "month"),
        ("a: " + "9" * 5000, "digits"),
        ("a: 0x" + "f" * 4000, "more than 1000 digits"),
        ("? 0b" + "1" * 9000 + "\n: a", "more than 1000 digits"),
        ("a: \x00", "control characters"),
        (b"\xff\xfe", "utf-8"),
        ("a: [", "not YAML"),
    ],
)
def test_what_is_refused_is_one_message(parse: object, text: str | bytes, said: str) -> None:
    with pytest.raises(NotYamlError, match=f"^some.yaml: not YAML: .*{said}|{said}"):
        parse(text, HERE)  # type: ignore[operator]


def test_a_file_that_is_not_there_is_said() -> None:
    with pytest.raises(MissingFileError, match=r"gone\.yaml"):
        read_yaml(Path("gone.yaml"))


@given(
    st.text("ab:-[]{}?&*!|>%@`#'\"\\,.0123456789~<=ntrufaysoe \n\t")
    | st.text()
    | st.binary()
    | st.lists(
        st.sampled_from(
            ["a: ", "- ", "[", "]", "{", "}", "? ", "&x ", "*x", "<<: ", "!!str ", "\n"]
        )
    ).map("".join)
)
@example("? [a]\n: 1")
@example("? - 0:")
@settings(max_examples=600, deadline=timedelta(seconds=5))
def test_anything_is_read_or_refused(content: str | bytes) -> None:
    for parse in (parse_yaml, parse_to_edit):
        try:
            parse(content, HERE)
        except NotYamlError:
            continue


@given(
    st.lists(
        st.text()
        | st.text("ab \n\t\\\"'#:-\x85\u2028\x1b\ufeff\r🙂", max_size=400)
        | st.text("\\ ", min_size=90, max_size=200)
        | st.sampled_from(["no", "null", "~", "1e3", "=", "on", "1:30", "${x}", "<<"])
    )
)
@example(["x\x85y", "\x85", " \x85 "])
@example(["\\ \\\\" * 40, ("abcdefgh " * 20 + "\x1b") * 3])
@settings(deadline=timedelta(seconds=5))
def test_any_text_that_is_written_is_read_again_by_us_and_by_dvc(texts: list[str]) -> None:
    values = {"texts": texts, "names": {text: [{text: text}] for text in texts}}
    written = format_yaml(values)

    assert parse_yaml(written, HERE) == values
    assert parse_to_edit(written, HERE) == values
    assert dvc_parse(written, "x") == values


@pytest.mark.parametrize(
    "text", ["no", "Yes", "on", "OFF", "y", "1:30", "012", "1_000", "null", "~", "1e3", "true"]
)
def test_a_text_is_a_text_to_programs_of_the_older_rules_too(text: str) -> None:
    assert another_program.safe_load(format_yaml({"a": text})) == {"a": text}


def test_no_is_a_name() -> None:
    assert parse_yaml("a: no", HERE) == {"a": "no"}


def test_what_was_not_changed_stays_as_it_was_written() -> None:
    before = (PROJECT / "params.yaml").read_text(encoding="utf-8")

    after = format_yaml(parse_to_edit(before, HERE))

    kept = set(after.splitlines())
    assert [line for line in before.splitlines() if "#" in line and line not in kept] == []
    assert parse_yaml(after, HERE) == parse_yaml(before, HERE)
