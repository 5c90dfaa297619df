"""Names: a slug is all that reaches a shell, a path or a DVC key; a label stays text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pipeline.names import MAX_CHARS, Slug, StudentName, is_slug, slug_of, slugs_of

PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
LABELS = st.text() | st.from_regex(PATTERN, fullmatch=True) | st.text("aA.b-/ ", max_size=4)
PREFIXES = st.sampled_from(["", "direct-"])
SLUGS: TypeAdapter[str] = TypeAdapter(Slug)
STUDENTS: TypeAdapter[str] = TypeAdapter(StudentName)


@given(LABELS, PREFIXES)
def test_a_slug_is_made_of_any_label(label: str, prefix: str) -> None:
    assert PATTERN.fullmatch(slug_of(label, prefix=prefix))


@given(LABELS)
def test_the_slug_of_a_slug_is_itself(label: str) -> None:
    assert slug_of(slug_of(label)) == slug_of(label)


@given(st.lists(LABELS, unique=True), PREFIXES)
def test_the_slugs_of_a_kind_differ(labels: list[str], prefix: str) -> None:
    slugs = slugs_of(labels, prefix=prefix)

    assert list(slugs) == labels
    assert len(set(slugs.values())) == len(labels)
    assert all(PATTERN.fullmatch(slug) and slug.startswith(prefix) for slug in slugs.values())


@given(st.lists(LABELS, unique=True))
def test_a_label_that_is_a_slug_stays_whatever_meets_it(labels: list[str]) -> None:
    slugs = slugs_of(labels)

    assert all(slugs[label] == label for label in labels if is_slug(label))


@given(st.lists(LABELS, unique=True), st.randoms(use_true_random=False))
def test_the_order_of_labels_does_not_matter(labels: list[str], chance: object) -> None:
    turned = list(reversed(labels))

    assert slugs_of(turned) == slugs_of(labels)


@pytest.mark.parametrize(
    ("label", "slug"),
    [
        ("gpt-4.1", "gpt-4-1"),
        ("GPT-4.1 (temp 0.7)", "gpt-4-1-temp-0-7"),
        ("Llama 3 70B", "llama-3-70b"),
        ("no", "no"),
        ("a/b", "a-b"),
        ("human-all_dimensions", "human-all_dimensions"),
        ("x/../../x", "x-x"),
        ("-rf", "rf"),
        ("$(touch pwned)", "touch-pwned"),
    ],
)
def test_what_a_person_would_call_it_is_kept(label: str, slug: str) -> None:
    assert slug_of(label) == slug


@pytest.mark.parametrize("label", ["模型", "..", "", "🙂", "~", "'"])
def test_a_label_without_a_letter_for_a_slug_has_its_hash(label: str) -> None:
    assert re.fullmatch(r"name-[0-9a-f]{6}", slug_of(label))


def test_where_labels_meet_those_that_are_no_slugs_have_six_digits_of_their_hash() -> None:
    slugs = slugs_of(["a-b", "a b", "a/b", "c d"])

    assert (slugs["a-b"], slugs["c d"]) == ("a-b", "c-d")
    assert all(re.fullmatch(r"a-b-[0-9a-f]{6}", slugs[one]) for one in ("a b", "a/b"))


def test_the_digits_of_a_label_are_its_own() -> None:
    assert slugs_of(["A", "a"])["A"] == slugs_of(["x", "A", "a", " a"])["A"]


def test_long_labels_that_begin_alike_stay_apart_and_short() -> None:
    slugs = slugs_of(["x" * 300, "x" * 301], prefix="direct-")

    assert len(set(slugs.values())) == 2
    assert {len(slug) for slug in slugs.values()} == {MAX_CHARS}


def test_nobody_takes_the_digits_of_another_label_by_knowing_them() -> None:
    labels = ["a-b", "a b"]
    for _ in range(5):
        labels.append(slugs_of(labels)["a b"])

    slugs = slugs_of(labels)

    assert len(set(slugs.values())) == len(labels)
    assert re.fullmatch(r"a-b-[0-9a-f]{6}", slugs["a b"])


def test_a_name_that_is_taken_goes_to_no_label() -> None:
    slugs = slugs_of(["all_together"], prefix="direct-", taken={"direct-all_together"})

    assert re.fullmatch(r"direct-all_together-[0-9a-f]{6}", slugs["all_together"])


@pytest.mark.parametrize(
    "name",
    [
        "A",
        "gpt-4.1",
        "x/../../x",
        "..",
        "",
        "-rf",
        "_x",
        "a b",
        "a\n",
        "$(x)",
        "é",
        "x" * 65,
        "CON",
    ],
)
def test_what_is_no_slug_is_refused_with_one_that_would_do(name: str) -> None:
    with pytest.raises(ValidationError, match=r"such as [a-z0-9][a-z0-9_-]*; `distillery migrate`"):
        SLUGS.validate_python(name)


@pytest.mark.parametrize(
    ("name", "quoted"), [(1, '"1"'), (None, '"null"'), (True, '"true"'), (1e3, '"1000.0"')]
)
def test_what_yaml_takes_for_a_number_is_to_be_quoted(name: object, quoted: str) -> None:
    with pytest.raises(ValidationError, match=f"write it in quotes, {quoted}"):
        SLUGS.validate_python(name)


@pytest.mark.parametrize("name", ["base_model", "human-sequential/sft", "a/dpo"])
def test_a_student_is_a_corpus_and_a_step_or_the_base_model(name: str) -> None:
    assert STUDENTS.validate_python(name) == name


@pytest.mark.parametrize("name", ["a", "a/b/c", "../sft", "a/..", "/sft", "a/", "A/sft", 3, ["a"]])
def test_no_other_path_is_a_student(name: object) -> None:
    with pytest.raises(ValidationError, match="names no student"):
        STUDENTS.validate_python(name)


def test_a_message_about_a_name_is_short_and_shows_no_control_character() -> None:
    with pytest.raises(ValidationError, match=r"\\x1b\[31mx+'… \(305 characters\)") as refused:
        SLUGS.validate_python("\x1b[31m" + "x" * 300)

    assert "\x1b" not in str(refused.value.errors()[0]["msg"])
