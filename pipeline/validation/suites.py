"""One Great Expectations suite per record type, in code.

Each expectation carries its claim in our words (`notes`) and how much its failure matters: a
critical one stops what depends on the data, a warning is shown, information is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from pydantic import Field

from pipeline.config import Section
from pipeline.records import SplitName
from pipeline.records.response import RATER

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

Severity: TypeAlias = Literal["critical", "warning", "info"]
Suite: TypeAlias = "list[Expectation]"
RATINGS = [1, 2, 3]


class LengthBounds(Section):
    """Words of one text, both ends allowed."""

    min_words: int = Field(ge=0)
    max_words: int = Field(ge=1)


class Bounds(Section):
    """What the suites cannot know from the record types.

    An empty `emotions` means that any emotion will do.
    """

    utterance: LengthBounds
    response: LengthBounds
    emotions: tuple[str, ...] = ()


def schema_suite() -> Suite:
    """Return the check that the columns are those of the record type, with their types."""
    return [
        expect(
            "ColumnPairValuesToBeEqual",
            "columns and their types are those of the record type",
            column_A="expected",
            column_B="found",
        )
    ]


def exchange_suite(bounds: Bounds) -> Suite:
    """Return the checks of `Exchange`."""
    suite = [
        *_key("id"),
        *_filled("dialogue_id"),
        *_filled("utterance"),
        _holds("history_is_filled", "earlier turns have text"),
        _between("words", "the utterance has a usable length in words", bounds.utterance),
    ]
    if bounds.emotions:
        claim = "emotions are of the vocabulary in params.yaml (expect.emotions)"
        suite.append(_in_set("emotion", claim, bounds.emotions, severity="warning"))
    return suite


def response_suite(bounds: Bounds) -> Suite:
    """Return the checks of `Response`."""
    return [
        *_key("id"),
        *_filled("text"),
        *_filled("responder"),
        _holds("exchange_is_known", "the exchange that it answers is in this build"),
        _in_set("rating", "ratings are 1, 2 or 3", RATINGS),
        _holds("codes_are_known", "codes are of the 15 behaviour codes"),
        _matches("rater", "raters are pseudonyms (r- and 12 hex digits)", RATER),
        _between("words", "the response has a usable length in words", bounds.response),
    ]


def sft_suite(bounds: Bounds) -> Suite:
    """Return the checks of `SFTExample`."""
    return [
        *_key("id"),
        _matches(
            "roles",
            "roles alternate user, assistant and end with the assistant",
            r"^(?:system )?user assistant(?: user assistant)*$",
        ),
        _holds("messages_are_filled", "no message is empty"),
        *_filled("target"),
        _between("words", "the target has a usable length in words", bounds.response),
        _in_set("split", "only exchanges of the train split are trained on", ["train"]),
        *_filled("split"),
        _holds("answers_its_exchange", "the response belongs to the exchange"),
    ]


def pair_suite(bounds: Bounds, *, strict: bool) -> Suite:
    """Return the checks of `PreferencePair`; ties are critical if `strict`."""
    return [
        *_key("id"),
        _matches(
            "prompt_roles",
            "roles of the prompt alternate and end with the user",
            r"^(?:system )?user(?: assistant user)*$",
        ),
        _holds("prompt_is_filled", "no message of the prompt is empty"),
        *(
            expectation
            for side, words in (("chosen", "words"), ("rejected", "rejected_words"))
            for expectation in (
                _matches(f"{side}_roles", f"{side} is one assistant message", "^assistant$"),
                *_filled(side),
                _between(words, f"{side} has a usable length in words", bounds.response),
                _in_set(f"{side}_rating", f"ratings of {side} are 1, 2 or 3", RATINGS),
            )
        ),
        _holds("sides_differ", "chosen and rejected differ"),
        _holds("sides_answer_one_exchange", "both sides answer the prompt of this exchange"),
        _holds(
            "chosen_is_rated_higher",
            "chosen is rated above rejected where both are rated",
            severity="critical" if strict else "info",
        ),
        _in_set("split", "only exchanges of the train split are trained on", ["train"]),
        *_filled("split"),
    ]


def split_suite(exchanges: int) -> Suite:
    """Return the checks of `SplitAssignment`: no dialogue and no group is divided."""
    return [
        *_key("exchange_id"),
        _in_set("split", "splits are train, dev or test", get_args(SplitName)),
        *_filled("split"),
        *_filled("group"),
        _holds("exchange_is_known", "each assignment is of an exchange of this build"),
        expect("TableRowCountToEqual", "each exchange is assigned", value=exchanges),
        _holds("group_is_on_one_side", "no group is on two sides"),
        _holds("dialogue_id_is_on_one_side", "no dialogue is on two sides"),
    ]


def _key(column: str) -> Suite:
    claim = f"{column} is unique"
    return [*_filled(column), expect("ColumnValuesToBeUnique", claim, column=column)]


def _filled(column: str) -> Suite:
    return [
        expect("ColumnValuesToNotBeNull", f"{column} is always there", column=column),
        _matches(column, f"{column} is never blank", r"\S"),
    ]


def _matches(column: str, claim: str, regex: str) -> Expectation:
    return expect("ColumnValuesToMatchRegex", claim, column=column, regex=regex)


def _in_set(
    column: str, claim: str, values: Sequence[object], *, severity: Severity = "critical"
) -> Expectation:
    return expect(
        "ColumnValuesToBeInSet", claim, severity=severity, column=column, value_set=list(values)
    )


def _holds(column: str, claim: str, *, severity: Severity = "critical") -> Expectation:
    return _in_set(column, claim, [True], severity=severity)


def _between(column: str, claim: str, bounds: LengthBounds) -> Expectation:
    claim = f"{claim} ({bounds.min_words} to {bounds.max_words})"
    return expect(
        "ColumnValuesToBeBetween",
        claim,
        column=column,
        min_value=bounds.min_words,
        max_value=bounds.max_words,
    )


def expect(name: str, claim: str, *, severity: Severity = "critical", **kwargs: Any) -> Expectation:
    """Return the expectation `Expect<name>` with its claim and the weight of its failure."""
    import great_expectations.expectations as kinds

    kind: Callable[..., Expectation] = getattr(kinds, f"Expect{name}")
    return kind(notes=claim, severity=severity, **kwargs)
