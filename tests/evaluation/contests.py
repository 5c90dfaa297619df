"""Contests and verdicts for tests of the evaluation."""

from __future__ import annotations

from pipeline.evaluation.contests import Contest
from pipeline.evaluation.judges import Verdict
from pipeline.evaluation.win_rate import Judged
from pipeline.records import Exchange, Response
from tests.examples import LOST_JOB, response


def exchange(number: int, *, dialogue: str | None = None) -> Exchange:
    """Return the exchange of dialogue `d<number>`, or of another one."""
    return LOST_JOB.model_copy(
        update={"id": f"exchange-{number}", "dialogue_id": dialogue or f"d{number}"}
    )


def reply(model: str, text: str, to: Exchange) -> Response:
    """Return what `model` said to an exchange."""
    return response(model, None, text, exchange=to).model_copy(
        update={"id": f"response-{to.id}-{model}"}
    )


def contest(ours: str, theirs: str, number: int = 1) -> Contest:
    """Return a contest of two texts."""
    to = exchange(number)
    return Contest(to, reply("ours", ours, to), reply("theirs", theirs, to))


def judged(
    value: float | None, number: int = 1, *, words: tuple[int, int] = (10, 10), **more: object
) -> Judged:
    """Return a judged contest of dialogue `d<number>`."""
    return Judged(f"d{number}", words, Verdict(value, **more))  # type: ignore[arg-type]
