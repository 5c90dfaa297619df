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

# https://huggingface.co/docs/hub/repositories-licenses
HUB_LICENCES = {
    "CC0-1.0": "cc0-1.0",
    "MIT": "mit",
    "Apache-2.0": "apache-2.0",
    "CC-BY-4.0": "cc-by-4.0",
    "CC-BY-SA-4.0": "cc-by-sa-4.0",
    "CC-BY-NC-4.0": "cc-by-nc-4.0",
    "CC-BY-NC-SA-3.0": "cc-by-nc-sa-3.0",
    "CC-BY-NC-SA-4.0": "cc-by-nc-sa-4.0",
}


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


def hub_licence(licence: str | None) -> dict[str, str]:
    """Return the keys by which the Hub knows a licence; what has none of its own is `other`."""
    if licence in HUB_LICENCES:
        return {"license": HUB_LICENCES[licence]}
    named = licence if licence not in (None, NONE_STATED) else "none-stated-do-not-publish"
    return {"license": "other", "license_name": str(named).lower()}
