"""The most restrictive licence decides."""

from __future__ import annotations

import pytest

from pipeline.errors import PipelineError
from pipeline.sources import SOURCES, get_source
from pipeline.sources.licences import (
    LICENCES,
    UnknownLicenceError,
    check_licence,
    may_be_published,
    most_restrictive,
)


def test_the_most_restrictive_licence_decides() -> None:
    assert most_restrictive(["MIT", "CC-BY-NC-4.0", "CC0-1.0"]) == "CC-BY-NC-4.0"


def test_one_row_without_a_licence_decides_for_all() -> None:
    assert most_restrictive([*LICENCES]) == "none stated"


def test_what_states_no_licence_may_not_be_published() -> None:
    assert [one for one in LICENCES if not may_be_published(one)] == ["none stated"]


def test_an_unknown_licence_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(UnknownLicenceError, match=r"licence 'WTFPL': not known\nUse one of: CC0"):
        check_licence("WTFPL")


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_states_a_known_licence(name: str) -> None:
    assert check_licence(SOURCES[name].licence) == SOURCES[name].licence


@pytest.mark.parametrize("name", [name for name, one in SOURCES.items() if one.url])
def test_every_public_source_says_where_it_is_from_and_how_to_check_it(name: str) -> None:
    source = SOURCES[name]

    assert source.url.startswith("https://")
    assert len(source.sha256) == 64
    assert source.citation
    assert source.terms


def test_an_unknown_source_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(PipelineError, match=r"source 'welivita': not known\nThere are: sample"):
        get_source("welivita")
