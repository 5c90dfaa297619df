"""Licences, ordered by what they allow."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.errors import PipelineError

NONE_STATED = "none stated"

# From the freest to the most restrictive. A corpus may be published under the last one that any of
# its rows has; without a licence nobody but the owner may publish, so that comes last.
LICENCES = (
    "CC0-1.0",
    "MIT",
    "Apache-2.0",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-3.0",
    "CC-BY-NC-SA-4.0",
    NONE_STATED,
)


class UnknownLicenceError(PipelineError):
    """A licence that has no place in the order."""


def check_licence(licence: str) -> str:
    """Return `licence` if its place among the others is known."""
    if licence not in LICENCES:
        raise UnknownLicenceError(
            f"licence {licence!r}: not known\nUse one of: {', '.join(LICENCES)}"
        )
    return licence


def most_restrictive(licences: Iterable[str]) -> str:
    """Return the licence that decides what may be done with rows of all of `licences`."""
    return max((check_licence(licence) for licence in licences), key=LICENCES.index)


def may_be_published(licence: str) -> bool:
    """Whether rows under `licence` may be passed on at all."""
    return check_licence(licence) != NONE_STATED
