"""What a reward model reads: a prompt with a response, and pairs of them of which one is better."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from pipeline.errors import PipelineError
from pipeline.records import Exchange, FinalLabel, PreferencePair, Response


class RewardError(PipelineError):
    """No reward model can be made of this, or not used for it."""


@dataclass(frozen=True)
class Text:
    """A response with what it answers: the last thing that the speaker said. `id` is a row's."""

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
    return Text(exchange.utterance, response.text, response.id)


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


def texts_of_pair(pair: PreferencePair, prompts: Mapping[str, str]) -> TextPair:
    """Return a training row as a reward model reads it.

    `prompts` maps exchange ids to utterances: the prompt of a built corpus is a template around
    one, and instructions say nothing of a response. Other rows have what the user said last.
    """
    prompt = prompts.get(pair.exchange_id, pair.prompt[-1].content)
    return TextPair(
        Text(prompt, pair.chosen[0].content, pair.chosen_id),
        Text(prompt, pair.rejected[0].content, pair.rejected_id),
        pair.exchange_id,
    )


def relabelled(responses: Iterable[Response], labels: Iterable[FinalLabel]) -> list[Response]:
    """Return the responses, with people's own rating where they gave one to `empathy`."""
    given = {
        label.item_id: int(label.values[0])
        for label in labels
        if label.question == "empathy" and label.sentence is None and label.method != "source"
    }
    return [
        one.model_copy(update={"rating": given[one.id]}) if one.id in given else one
        for one in responses
    ]


def compared_pairs(
    pairs: Iterable[PreferencePair],
    labels: Iterable[FinalLabel],
    prompts: Mapping[str, str],
) -> list[TextPair]:
    """Return the pairs that people compared (question `better`), the preferred side first."""
    won = {
        label.item_id: label.values[0]
        for label in labels
        if label.question == "better" and label.sentence is None
    }
    found = []
    for row in pairs:
        pair = texts_of_pair(row, prompts)
        if won.get(row.id) == "chosen":
            found.append(pair)
        elif won.get(row.id) == "rejected":
            found.append(TextPair(pair.rejected, pair.chosen, pair.group))
    return found
