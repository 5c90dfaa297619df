"""Contests: two replies to one exchange, one of a model and one of its opponent.

Null models take part too. They are as bad as they look, so a judge by which one of them wins, by
its length above all, rewards something else than empathy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.corpora.conversation import chat_messages
from pipeline.errors import RowError
from pipeline.evaluation.classification import EvaluationError
from pipeline.records import (
    Exchange,
    Lineage,
    Message,
    PreferencePair,
    Response,
    content_id,
)
from pipeline.storage import read_table
from pipeline.text.words import count_words

Replies = Mapping[str, Response]
"""The replies of one model by exchange id."""

TEMPLATE = "I'm so sorry to hear that."
LONGEST, SHORTEST, TEMPLATED = "null: longest", "null: shortest", "null: template"
NULLS = (LONGEST, SHORTEST, TEMPLATED)


@dataclass(frozen=True)
class Contest:
    """`ours` is the model's reply, `theirs` the opponent's."""

    exchange: Exchange
    ours: Response
    theirs: Response

    @property
    def id(self) -> str:
        """The same two replies have the same id in every table, in either role apart."""
        return content_id("contest", self.ours.id, self.theirs.id)

    @property
    def words(self) -> tuple[int, int]:
        """The replies' lengths in words, ours first."""
        return count_words(self.ours.text), count_words(self.theirs.text)

    @property
    def is_settled(self) -> bool:
        """Whether both say the same: a tie that no judge is asked about."""
        return self.ours.text.strip() == self.theirs.text.strip()


def read_models(folder: Path, names: Collection[str]) -> dict[str, Replies]:
    """Return the replies of every `<model>.parquet` in `folder` whose model is one of `names`.

    The folder may have more: DVC leaves the replies of a model that params name no longer.
    Raises EvaluationError if there is none and RowError if a model answered an exchange twice.
    """
    paths = [path for path in sorted(folder.glob("*.parquet")) if path.stem in names]
    models = {path.stem: read_model(path) for path in paths}
    if not models:
        raise EvaluationError(f"{folder}: no model's replies\nWrite them: dvc repro generate")
    return models


def read_model(path: Path) -> Replies:
    """Return one model's replies. Raises RowError if it answered an exchange twice."""
    replies: dict[str, Response] = {}
    for row, response in enumerate(read_table(path, Response), start=1):
        if response.exchange_id in replies:
            raise RowError(
                path,
                row,
                f"a second reply to {response.exchange_id}",
                hint="A model answers an exchange once: keep one of them.",
            )
        replies[response.exchange_id] = response
    return replies


def by_responder(responses: Iterable[Response]) -> dict[str, Replies]:
    """Return the replies of every responder."""
    found: dict[str, dict[str, Response]] = {}
    for response in responses:
        found.setdefault(response.responder, {})[response.exchange_id] = response
    return dict(sorted(found.items()))


def pair_up(
    exchanges: Iterable[Exchange], ours: Replies, theirs: Replies, *, name: str
) -> list[Contest]:
    """Return a contest per exchange that both answered.

    `name` says in an error whose contests these are. Raises EvaluationError if there is none.
    """
    contests = [
        Contest(exchange, ours[exchange.id], theirs[exchange.id])
        for exchange in exchanges
        if exchange.id in ours and exchange.id in theirs
    ]
    if not contests:
        raise EvaluationError(
            f"{name}: no exchange that both answered\n"
            "Write both models' replies to the same test set: dvc repro generate"
        )
    return contests


def null_models(exchanges: Sequence[Exchange], models: Sequence[Replies]) -> dict[str, Replies]:
    """Return what three models without any thought would say to `exchanges`.

    `longest` and `shortest` take the one of `models`' replies that has most or fewest words (the
    first of equals); `template` says one sentence whatever it hears. Where no model replied, the
    first two have no reply either.
    """
    offered = {
        exchange.id: [one[exchange.id] for one in models if exchange.id in one]
        for exchange in exchanges
    }
    known = {name: replies for name, replies in offered.items() if replies}
    return {
        LONGEST: {name: max(replies, key=_length) for name, replies in known.items()},
        SHORTEST: {name: min(replies, key=_length) for name, replies in known.items()},
        TEMPLATED: {exchange.id: _template(exchange) for exchange in exchanges},
    }


def _length(response: Response) -> int:
    return count_words(response.text)


def _template(exchange: Exchange) -> Response:
    return Response(
        id=content_id("response", exchange.id, TEMPLATED),
        exchange_id=exchange.id,
        responder=TEMPLATED,
        text=TEMPLATE,
        lineage=Lineage(
            source=exchange.lineage.source,
            licence=exchange.lineage.licence,
            operation="evaluate",
            parents=(exchange.id,),
        ),
    )


def contest_pairs(contests: Iterable[Contest]) -> Iterable[PreferencePair]:
    """Yield the contests as pairs to push to annotators; `chosen` is our side, not a verdict.

    The situation stands before what the user said first. Each pair's id is its contest's, so that
    the answer to "which is better" finds its way back.
    """
    for contest in contests:
        if contest.is_settled:
            continue
        exchange = contest.exchange
        first, *later = chat_messages(exchange)
        situated = "\n".join(part for part in (exchange.situation, first.content) if part)
        yield PreferencePair(
            id=contest.id,
            prompt=(Message(role="user", content=situated), *later),
            chosen=(Message(role="assistant", content=contest.ours.text),),
            rejected=(Message(role="assistant", content=contest.theirs.text),),
            exchange_id=exchange.id,
            chosen_id=contest.ours.id,
            rejected_id=contest.theirs.id,
            lineage=Lineage(
                source=exchange.lineage.source,
                licence=exchange.lineage.licence,
                operation="evaluate",
                parents=(contest.ours.id, contest.theirs.id),
            ),
        )
