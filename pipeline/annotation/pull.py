"""Bring answers home: every response with its status, time, annotator and what was suggested."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipeline.annotation.form import note, read_value
from pipeline.annotation.pseudonyms import Pseudonyms
from pipeline.annotation.questions import QUESTIONS
from pipeline.annotation.server_client import (
    Address,
    connect,
    dataset_name,
    fetch_records,
    find_dataset,
    open_dataset,
    plain_errors,
)
from pipeline.errors import PipelineError
from pipeline.records import WHOLE_RECORD, Annotation, AnswerValue, Suggestion


@dataclass
class Progress:
    """One annotator's share: records assigned, and responses by status."""

    assigned: int = 0
    responses: Counter[str] = field(default_factory=Counter)


def pull(
    address: Address, round_number: int, pseudonym: Pseudonyms, *, adjudication: bool = False
) -> list[Annotation]:
    """Return all answers that the server holds for a round; nothing changes on the server."""
    with plain_errors(address.url):
        client = connect(address)
        name = dataset_name(round_number, adjudication=adjudication)
        dataset, _ = open_dataset(client, address, name)
        names = {str(user.id): user.username for user in client.users}
        asked = {str(question.id): question.name for question in dataset.settings.questions}
        role = "adjudicator" if adjudication else "annotator"
        return [
            annotation
            for held in fetch_records(client, dataset)
            for response in held.get("responses") or ()
            for annotation in _answers(
                held,
                _note(held, name, address),
                response,
                asked,
                pseudonym(names.get(response["user_id"], response["user_id"])),
                role,
            )
        ]


def _note(held: dict[str, Any], name: str, address: Address) -> dict[str, Any]:
    hidden = note(held)
    if hidden is None:
        raise PipelineError(
            f"{address.url}: {held['external_id']} in {name} has lost what this program noted on it"
            "\nPush the round again: that puts the note back. If the record is not one of the "
            "round's, delete it there."
        )
    return hidden


def _answers(
    held: dict[str, Any],
    hidden: dict[str, Any],
    response: dict[str, Any],
    asked: dict[str, str],
    annotator: str,
    role: str,
) -> Iterator[Annotation]:
    suggested = _suggestions(held, hidden, asked)
    fixed = {
        "item_id": held["external_id"],
        "status": response["status"],
        "role": role,
        "annotator": annotator,
        "answered_at": _utc(response["updated_at"]),
        "guidelines": hidden["guidelines"],
        "origin": "argilla",
    }
    found = False
    for name, answer in (response.get("values") or {}).items():
        question = QUESTIONS[name]
        for sentence, value in read_value(question, answer["value"], held["fields"], hidden):
            found = True
            proposal = suggested.get((name, sentence))
            yield Annotation.model_validate(
                fixed
                | {
                    "question": name,
                    "sentence": sentence,
                    "value": value,
                    "suggestion": proposal[0] if proposal else None,
                    "suggestion_agent": proposal[1] if proposal else None,
                    "suggestion_shown": not hidden["blind"] if proposal else None,
                }
            )
    if not found or response["status"] == "discarded":
        yield Annotation.model_validate(fixed | {"question": WHOLE_RECORD, "value": None})


def pull_round(address: Address, round_number: int, pseudonym: Pseudonyms) -> list[Annotation]:
    """Return the annotators' answers and, where there was an adjudication, its rulings."""
    answers = pull(address, round_number, pseudonym)
    with plain_errors(address.url):
        name = dataset_name(round_number, adjudication=True)
        ruled = find_dataset(connect(address), address, name)
    return [*answers, *(pull(address, round_number, pseudonym, adjudication=True) if ruled else ())]


Proposals = dict[tuple[str, int | None], tuple[AnswerValue, str | None]]


def _suggestions(held: dict[str, Any], hidden: dict[str, Any], asked: dict[str, str]) -> Proposals:
    found: Proposals = {}
    for one in held.get("suggestions") or ():
        name = asked[one["question_id"]]
        for sentence, value in read_value(QUESTIONS[name], one["value"], held["fields"], hidden):
            found[name, sentence] = value, one["agent"]
    for values in hidden["withheld"]:
        proposed = Suggestion.model_validate(values)
        found[proposed.question, proposed.sentence] = proposed.value, proposed.agent
    return found


def _utc(text: str) -> datetime:
    """Read the server's times, which are UTC without saying so."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def progress(address: Address, round_number: int) -> dict[str, Progress]:
    """Return how far each annotator is, by name: for the lead's eyes, it enters no file.

    Whoever answered without being assigned is listed too, and whoever was assigned and left.
    """
    shares: defaultdict[str, Progress] = defaultdict(Progress)
    with plain_errors(address.url):
        client = connect(address)
        dataset, _ = open_dataset(client, address, dataset_name(round_number))
        names = {str(user.id): user.username for user in client.users}
        for held in fetch_records(client, dataset):
            for name in (held.get("metadata") or {}).get("assigned", ()):
                shares[name].assigned += 1
            for response in held.get("responses") or ():
                name = names.get(response["user_id"], response["user_id"])
                shares[name].responses[response["status"]] += 1
    return dict(sorted(shares.items()))
