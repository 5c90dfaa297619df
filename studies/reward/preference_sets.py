"""Public sets of preference pairs: hh_rlhf, LLMBar and PandaLM, to train or to test a reward on.

They are about harmlessness, instruction following and quality of answers, not about empathy. Pairs
that share an `exchange_id` belong together: the same first turn (hh_rlhf) or the same instruction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import MissingFileError, PipelineError, RowError, TableError
from pipeline.records import Lineage, Message, PreferencePair, Rejection, content_id
from pipeline.sources.base import unusable
from pipeline.storage import iter_json_lines, read_json

MAX_CHARS = 20_000
_TURN = re.compile(r"\n\n(Human|Assistant):")

# The folder also holds sets of others, processed to its format: give one of those as a file.
_LLMBAR_FILES = "LLMBar_*.json"
_ANNOTATORS = ("annotator1", "annotator2", "annotator3")


@dataclass(frozen=True)
class PairSource:
    """A set of preference pairs; `read` takes a file, or the folder of a set in several files."""

    name: str
    title: str
    licence: str
    citation: str
    homepage: str
    read: Callable[[Path], Iterator[PreferencePair | Rejection]]


def _read_hh_rlhf(path: Path) -> Iterator[PreferencePair | Rejection]:
    """Read lines of two whole dialogues that differ in what the assistant says last."""
    for row, values in iter_json_lines(path):
        chosen, rejected = (_turns(path, row, values, side) for side in ("chosen", "rejected"))
        if chosen is None or rejected is None:
            yield _rejection("hh_rlhf", path, row, "turns_do_not_alternate")
        elif chosen[:-1] != rejected[:-1]:
            yield _rejection("hh_rlhf", path, row, "different_prompts")
        else:
            yield _pair("hh_rlhf", path, row, chosen[:-1], chosen[-1], rejected[-1], chosen[0])


def _turns(path: Path, row: int, values: dict[str, Any], side: str) -> list[str] | None:
    """Return what was said in turn, the person first and the assistant last; None if not so."""
    if not isinstance(values.get(side), str):
        raise RowError(path, row, f"no text {side}", hint="A line has both chosen and rejected.")
    head, *rest = _TURN.split(values[side])
    speakers = rest[0::2]
    if head.strip() or not speakers or speakers != ["Human", "Assistant"] * (len(speakers) // 2):
        return None
    return [text.strip() for text in rest[1::2]]


def _read_llmbar(path: Path) -> Iterator[PreferencePair | Rejection]:
    """Read LLMBar's own 419 pairs from its folder, or one file; `label` says which is better."""
    files = sorted(path.glob(_LLMBAR_FILES)) if path.is_dir() else [path]
    if not files:
        raise MissingFileError(path / _LLMBAR_FILES, hint="Get the set from its homepage.")
    for file in files:
        for row, values in _json_rows(file, ("input", "output_1", "output_2", "label")):
            if values["label"] not in (1, 2):
                raise RowError(file, row, f"label is {values['label']!r}", hint="It is 1 or 2.")
            better, worse = (1, 2) if values["label"] == 1 else (2, 1)
            yield _pair(
                "llmbar",
                file,
                row,
                [str(values["input"]).strip()],
                str(values[f"output_{better}"]).strip(),
                str(values[f"output_{worse}"]).strip(),
                str(values["input"]).strip(),
            )


def _read_pandalm(path: Path) -> Iterator[PreferencePair | Rejection]:
    """Read pairs that three people compared; most of them must prefer the same side."""
    columns = ("instruction", "input", "response1", "response2", *_ANNOTATORS)
    for row, values in _json_rows(path, columns):
        votes = [values[one] for one in _ANNOTATORS]
        if any(vote not in (0, 1, 2) for vote in votes):
            raise RowError(path, row, f"votes are {votes}", hint="Each is 0 (a tie), 1 or 2.")
        better = next((side for side in (1, 2) if votes.count(side) >= 2), None)
        if better is None:
            yield _rejection("pandalm", path, row, "no_majority")
            continue
        asked = "\n".join(
            part for one in ("instruction", "input") if (part := str(values[one]).strip())
        )
        yield _pair(
            "pandalm",
            path,
            row,
            [asked],
            str(values[f"response{better}"]).strip(),
            str(values[f"response{3 - better}"]).strip(),
            asked,
        )


def _json_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = read_json(path)
    if not isinstance(rows, list):
        raise TableError(path, "not a list of pairs", hint="Get the file again.")
    for row, values in enumerate(rows, start=1):
        if not isinstance(values, dict) or not values.keys() >= set(columns):
            raise RowError(path, row, "not a pair", hint=f"It needs {', '.join(columns)}.")
        yield row, values


def _pair(
    name: str,
    path: Path,
    row: int,
    prompt: Sequence[str],
    chosen: str,
    rejected: str,
    together: str,
) -> PreferencePair | Rejection:
    """Return the pair; `prompt` is what was said in turn, the user first and last."""
    texts = [*prompt, chosen, rejected]
    if not all(texts):
        return _rejection(name, path, row, "empty_turn")
    if chosen == rejected:
        return _rejection(name, path, row, "identical_sides")
    for text in texts:
        if problem := unusable(text, MAX_CHARS):
            return _rejection(name, path, row, problem[0])
    exchange_id = content_id("exchange", name, together)
    chosen_id = content_id("response", name, *prompt, chosen)
    rejected_id = content_id("response", name, *prompt, rejected)
    return PreferencePair(
        id=content_id("pair", name, *prompt, chosen, rejected),
        prompt=tuple(
            Message(role="assistant" if number % 2 else "user", content=text)
            for number, text in enumerate(prompt)
        ),
        chosen=(Message(role="assistant", content=chosen),),
        rejected=(Message(role="assistant", content=rejected),),
        exchange_id=exchange_id,
        chosen_id=chosen_id,
        rejected_id=rejected_id,
        lineage=Lineage(
            source=name, licence=PAIR_SOURCES[name].licence, operation=f"ingest:{path.name}#{row}"
        ),
    )


def _rejection(name: str, path: Path, row: int, reason: str) -> Rejection:
    return Rejection(
        record_id=content_id("pair-row", name, path.name, row),
        stage="ingest",
        reason=reason,
        detail=f"{path.name} row {row}",
        parents=(),
    )


PAIR_SOURCES: dict[str, PairSource] = {
    source.name: source
    for source in (
        PairSource(
            name="hh_rlhf",
            title="Helpful and harmless dialogues: the harmless part",
            licence="MIT",
            citation="Bai et al. 2022, arXiv 2204.05862",
            homepage="https://github.com/anthropics/hh-rlhf",
            read=_read_hh_rlhf,
        ),
        PairSource(
            name="llmbar",
            title="LLMBar: pairs of which one follows the instruction",
            licence="MIT",
            citation="Zeng et al. 2023, arXiv 2310.07641",
            homepage="https://github.com/princeton-nlp/LLMBar",
            read=_read_llmbar,
        ),
        PairSource(
            name="pandalm",
            title="PandaLM's test set: pairs compared by three people",
            licence="Apache-2.0",
            citation="Wang et al. 2023, arXiv 2306.05087",
            homepage="https://github.com/WeOpenML/PandaLM",
            read=_read_pandalm,
        ),
    )
}


def read_preference_set(name: str, path: Path) -> Iterator[PreferencePair | Rejection]:
    """Yield the pairs of the set called `name`; a pair that came before is a rejection."""
    seen: set[str] = set()
    for row in get_pair_source(name).read(path):
        if isinstance(row, PreferencePair):
            if row.id in seen:
                yield Rejection(
                    record_id=row.id, stage="ingest", reason="repeated_pair", parents=()
                )
                continue
            seen.add(row.id)
        yield row


def get_pair_source(name: str) -> PairSource:
    """Return the set called `name`, or say which there are."""
    if name not in PAIR_SOURCES:
        raise PipelineError(
            f"preference set {name!r}: not known\nUse one of: {', '.join(PAIR_SOURCES)}"
        )
    return PAIR_SOURCES[name]
