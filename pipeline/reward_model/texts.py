"""What a reward model reads: a prompt with a response, and pairs of them of which one is better."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from pipeline.errors import PipelineError
from pipeline.records import Exchange, PreferencePair, Response, Turn, text_of_turns


class RewardError(PipelineError):
    """No reward model can be made of this, or not used for it."""


@dataclass(frozen=True)
class Text:
    """A response with what it answers, all that was said before it. `id` is a row's."""

    prompt: str
    response: str
    id: str = ""


@dataclass(frozen=True)
class TextPair:
    """Two texts of which people prefer the first; pairs of one `group` are never parted."""

    chosen: Text
    rejected: Text
    group: str


def text_of(exchange: Exchange, response: Response) -> Text:
    """Return what a reward model reads of a response."""
    return Text(exchange.transcript_text(), response.text, response.id)


def rated_pairs(exchange: Exchange, responses: Sequence[Response]) -> list[TextPair]:
    """Return every two responses to one exchange whose ratings differ, the better one first."""
    return [
        TextPair(text_of(exchange, better), text_of(exchange, worse), exchange.dialogue_id)
        for better, worse in permutations(responses, 2)
        if better.rating is not None
        and worse.rating is not None
        and better.rating > worse.rating
        and better.text.strip() != worse.text.strip()
    ]


def texts_of_pair(pair: PreferencePair, exchanges: Mapping[str, Exchange]) -> TextPair:
    """Return a training row as a reward model reads it.

    The prompt of a built corpus is a template around what was said, and instructions say nothing
    of a response: the exchange tells. The messages do where `exchanges`, by id, lack it.
    """
    exchange = exchanges.get(pair.exchange_id)
    prompt = text_of_turns(_turns(pair)) if exchange is None else exchange.transcript_text()
    return TextPair(
        Text(prompt, pair.chosen[0].content, pair.chosen_id),
        Text(prompt, pair.rejected[0].content, pair.rejected_id),
        pair.exchange_id,
    )


def _turns(pair: PreferencePair) -> list[Turn]:
    return [
        Turn(role="speaker" if message.role == "user" else "listener", text=message.content)
        for message in pair.prompt
        if message.role != "system"
    ]


def compared_pairs(
    pairs: Iterable[PreferencePair],
    better: Mapping[str, str],
    exchanges: Mapping[str, Exchange],
) -> list[TextPair]:
    """Return the pairs that people compared, the preferred side first.

    `better` holds `chosen`, `rejected` or `equal` by the id of a pair.
    """
    found = []
    for row in pairs:
        pair = texts_of_pair(row, exchanges)
        if better.get(row.id) == "chosen":
            found.append(pair)
        elif better.get(row.id) == "rejected":
            found.append(TextPair(pair.rejected, pair.chosen, pair.group))
    return found
