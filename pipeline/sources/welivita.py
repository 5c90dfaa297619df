"""The two rated studies of Welivita and Pu: one wide CSV row per dialogue, a rating per responder.

Each response was rated 1 (bad) to 3 (good) by one person, another one per responder, who also
filled in the Toronto Empathy Questionnaire; its total is kept beside the rating, since it tells a
part of how leniently a rater rates. Dialogue ids have the form `hit:<n>_conv:<n>`;
dialogues of one HIT were gathered together.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import RowError
from pipeline.records import (
    BehaviourCode,
    Exchange,
    Lineage,
    RawLocation,
    Rejection,
    Response,
    content_id,
)
from pipeline.sources.base import (
    ReadOptions,
    Source,
    Sourced,
    empty_cell,
    label,
    read_rating,
    unusable,
)
from pipeline.sources.licences import NONE_STATED
from pipeline.sources.pseudonyms import PUBLISHED
from pipeline.sources.rows import iter_rows

_CONTEXT = ("dialog_id", "emotion", "sentiment", "situation", "speaker_uttr")
_PER_RESPONDER = ("response", "rating", "annotator", "empathy_propensity")


class _WideReader:
    """Read one of the studies; `coded` responders have a `miti_*` column of sentence codes."""

    def __init__(self, name: str, responders: Sequence[str], *, coded: bool) -> None:
        self.name = name
        self.responders = responders
        self.per_responder = (*_PER_RESPONDER, "miti") if coded else _PER_RESPONDER

    def __call__(self, path: Path, options: ReadOptions) -> Iterator[Sourced | Rejection]:
        columns = [*_CONTEXT]
        columns += [f"{what}_{who}" for what in self.per_responder for who in self.responders]
        seen = set[str]()
        for row, values in iter_rows(path, columns):
            dialogue_id = _text(path, row, values, "dialog_id")
            if dialogue_id in seen:
                raise RowError(
                    path,
                    row,
                    f"dialogue id {dialogue_id} is there a second time",
                    hint="Ids must be unique: drop one of the rows or rename it.",
                )
            seen.add(dialogue_id)
            exchange = self._exchange(path, row, values, options)
            if isinstance(exchange, Rejection):
                yield exchange
                continue
            answers = list(self._responses(path, row, values, exchange, options))
            yield from (one for one in answers if isinstance(one, Rejection))
            yield Sourced(exchange, tuple(one for one in answers if isinstance(one, Response)))

    def _exchange(
        self, path: Path, row: int, values: dict[str, Any], options: ReadOptions
    ) -> Exchange | Rejection:
        dialogue_id = _text(path, row, values, "dialog_id")
        situation = _text(path, row, values, "situation")
        utterance = _text(path, row, values, "speaker_uttr")
        emotion, sentiment = label(values["emotion"]), label(values["sentiment"])
        exchange_id = content_id("exchange", self.name, dialogue_id, situation, utterance)
        for text in (dialogue_id, emotion, sentiment, situation, utterance):
            if problem := unusable(text or "", options.max_chars):
                return _rejection(exchange_id, *problem)
        return Exchange(
            id=exchange_id,
            dialogue_id=dialogue_id,
            collection_id=dialogue_id.split("_conv:")[0],
            emotion=emotion,
            sentiment=sentiment,
            situation=situation,
            utterance=utterance,
            raw=RawLocation(file=path.name, row=row),
            lineage=Lineage(source=self.name, licence=NONE_STATED, operation="ingest"),
        )

    def _responses(
        self,
        path: Path,
        row: int,
        values: dict[str, Any],
        exchange: Exchange,
        options: ReadOptions,
    ) -> Iterator[Response | Rejection]:
        for who in self.responders:
            rater = PUBLISHED.pseudonym(_text(path, row, values, f"annotator_{who}"))
            text = _text(path, row, values, f"response_{who}")
            response_id = content_id("response", exchange.id, who, text)
            if problem := unusable(text, options.max_chars):
                yield _rejection(response_id, *problem, parents=(exchange.id,))
                continue
            yield Response(
                id=response_id,
                exchange_id=exchange.id,
                responder=who,
                text=text,
                rating=read_rating(path, row, f"rating_{who}", values[f"rating_{who}"]),
                rater=rater,
                rater_teq=_whole(path, row, values, f"empathy_propensity_{who}"),
                codes=_codes(path, row, values, f"miti_{who}"),
                lineage=exchange.lineage.model_copy(update={"parents": (exchange.id,)}),
            )


def _rejection(
    record_id: str, reason: str, detail: str, *, parents: tuple[str, ...] = ()
) -> Rejection:
    return Rejection(
        record_id=record_id, stage="ingest", reason=reason, detail=detail, parents=parents
    )


def _text(path: Path, row: int, values: dict[str, Any], column: str) -> str:
    text = str(values[column] or "").strip()
    if not text:
        raise empty_cell(path, row, column)
    return text


def _whole(path: Path, row: int, values: dict[str, Any], column: str) -> int:
    try:
        return int(values[column])
    except (OverflowError, TypeError, ValueError) as error:
        raise RowError(
            path, row, f"{column} is {values[column]!r:.200}", hint="It must be a whole number."
        ) from error


def _codes(
    path: Path, row: int, values: dict[str, Any], column: str
) -> tuple[BehaviourCode, ...] | None:
    if column not in values:
        return None
    try:
        return tuple(BehaviourCode(code) for code in ast.literal_eval(values[column]))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise RowError(
            path,
            row,
            f"{column} is no list of behaviour codes ({error})",
            hint=f"The codes are: {', '.join(BehaviourCode)}",
        ) from error


WELIVITA2024 = Source(
    name="welivita2024",
    title="Are LLMs more empathetic than humans? 2,000 dialogues, five rated responders",
    licence=NONE_STATED,
    citation="Welivita and Pu 2024, arXiv 2406.05063; file as used by Xie et al., SIGDIAL 2025",
    synthetic="part",
    read=_WideReader(
        "welivita2024",
        ("human", "chatgpt_empathy", "llama_empathy", "gemini_empathy", "mixtral_empathy"),
        coded=False,
    ),
    reference_responder="human",
    teachers={
        "chatgpt": "chatgpt_empathy",
        "llama": "llama_empathy",
        "gemini": "gemini_empathy",
        "mixtral": "mixtral_empathy",
    },
    split_rule="papers",
    homepage="https://github.com/henryjxie/Distilling-Empathy-from-Large-Language-Models",
    url=(
        "https://raw.githubusercontent.com/henryjxie/Distilling-Empathy-from-Large-Language-Models/"
        "96219f00bd73e81c759b7f58c8049e2ba60c7b91/datasets/dataset.csv"
    ),
    sha256="d43fe180f0aab2ae4973ddcf1cc5420a219804ca0c9b7d302fb5e3b73b2d296b",
    terms=(
        "The repository states no licence; the dialogues come from EmpatheticDialogues "
        "(CC BY-NC 4.0). Research use only; do not redistribute."
    ),
)

WELIVITA2023 = Source(
    name="welivita2023",
    title="Is ChatGPT more empathetic than humans? 2,000 dialogues, three rated responders",
    licence=NONE_STATED,
    citation="Welivita and Pu 2024, arXiv 2403.05572",
    synthetic="part",
    read=_WideReader("welivita2023", ("human", "chatgpt", "chatgpt_empathy"), coded=True),
    reference_responder="human",
    teachers={"chatgpt": "chatgpt", "chatgpt_empathy": "chatgpt_empathy"},
    homepage="https://github.com/anuradha1992/llm-empathy-evaluation",
    url=(
        "https://raw.githubusercontent.com/anuradha1992/llm-empathy-evaluation/"
        "d14205e22c9ce69766743f41b0efa7ad8de7d42f/data/dataset_and_ratings.csv"
    ),
    sha256="dac964fdbc067e8be93df70abda1a8ce9d75cdc5313dad334704a7db4c6b260f",
    terms=(
        "The repository states no licence; the dialogues come from EmpatheticDialogues "
        "(CC BY-NC 4.0). Research use only; do not redistribute. Its sentence codes were set by a "
        "classifier, and its column miti_chatgpt_empathy repeats miti_chatgpt."
    ),
)
