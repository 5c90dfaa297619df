"""An answered call as the ledger keeps and ships it, and what a file of them must hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError

from pipeline.errors import MissingFileError, RowError
from pipeline.llm.budget import MOST_TOKENS
from pipeline.llm.chat import chat_key, embedding_key, parse_chat
from pipeline.llm.role import RoleName
from pipeline.llm.transport import AttemptFailedError, too_large
from pipeline.llm.vectors import read_vector
from pipeline.records import Record
from pipeline.storage import first_problem

# The longest request and the longest answer that are paid for; those of today's models are a MB or
# two. What the ledger takes in is bounded here, so that all of it can be read, shipped and taken in
# elsewhere.
MOST_BYTES = 8 * 2**20
# A line holds one of each; within JSON once more, no character of a JSON text takes more than two.
MAX_LINE_BYTES = 4 * MOST_BYTES + 64 * 2**10
# Far above any price; finite sums of them stay finite.
MOST_USD = 1e12
MOST_SECONDS = 1e8
YEAR_2100 = 4_102_444_800.0
HINT = "Each line must be an answer as `distillery ledger export` wrote it; nothing was taken over."


def _is_text(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds half a surrogate pair, which is no text") from error
    return text


Text = Annotated[str, AfterValidator(_is_text)]
Name = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_is_text)]
Tokens = Annotated[int, Field(ge=0, le=MOST_TOKENS)]


class Answer(Record):
    """One answered call: the raw request and answer as JSON text, without any API key or address.

    A row of the ledger and a line of its export.
    """

    key: str = Field(pattern=r"^[0-9a-f]{64}$")
    role: RoleName
    stage: Name
    model: Name
    sample: int = Field(ge=0, le=10**9)
    request: Text
    answer: Text
    tokens_in: Tokens | None
    tokens_out: Tokens | None
    usd: float | None = Field(ge=0, le=MOST_USD)
    latency_s: float = Field(ge=0, le=MOST_SECONDS)
    answered_at: float = Field(ge=0, le=YEAR_2100)


ANSWER_COLUMNS = tuple(Answer.model_fields)


def read_answers(path: Path) -> Iterator[Answer]:
    """Yield the answers of an export, each checked against its request.

    Raises RowError for the first line that is none: a key that is not its request's hash would
    answer another question.
    """
    if not path.is_file():
        raise MissingFileError(path, hint="Check the path.")
    with path.open("rb") as stream:
        row = 0
        while line := stream.readline(MAX_LINE_BYTES + 1):
            row += 1
            if len(line) > MAX_LINE_BYTES:
                raise RowError(path, row, f"longer than {MAX_LINE_BYTES:,} bytes", hint=HINT)
            if line.strip():
                try:
                    yield _answer(line)
                except ValidationError as error:
                    problem = f"not a valid Answer: {first_problem(error)}"
                    raise RowError(path, row, problem, hint=HINT) from error
                except (ValueError, RecursionError) as error:
                    raise RowError(path, row, f"not an answer ({error})", hint=HINT) from error


def _answer(line: bytes) -> Answer:
    answer = Answer.model_validate(_object(line.decode(), "the line"))
    problem = mismatch(answer)
    if problem:
        raise ValueError(problem)
    return answer


def mismatch(answer: Answer) -> str | None:
    """Return what does not fit in an answer whose fields are well formed, None if all does."""
    content = answer.request.encode()
    is_chat = answer.role != "embedder"
    key = chat_key(content, answer.sample) if is_chat else embedding_key(content)
    if key != answer.key:
        return f"key {answer.key[:12]}… is not the hash of its request, {key[:12]}…"
    try:
        for name in ("request", "answer"):
            _object(getattr(answer, name), name)
        if is_chat:
            parse_chat(answer.answer)
        else:
            read_vector(answer.answer)
    except (ValueError, RecursionError) as error:
        return str(error) or "nested too deeply"
    return None


def check_intake(answer: str) -> None:
    """Raise AttemptFailedError for a raw answer that would be refused when it is read again."""
    from pipeline.unfolding.limits import MAX_DEPTH, TooDeepError
    from pipeline.unfolding.sizes import of_cells

    if len(answer.encode(errors="surrogatepass")) > MOST_BYTES:
        raise too_large(MOST_BYTES)
    if answer.count("[") + answer.count("{") > MAX_DEPTH:
        # How deep a parser follows depends on who calls it.
        try:
            of_cells([json.loads(answer)])
        except (TooDeepError, RecursionError) as error:
            raise AttemptFailedError("malformed", "nested too deeply") from error


def _object(text: str, name: str) -> dict[str, Any]:
    """Return `text` as a JSON object; raises ValueError if it is none."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"{name} is a {type(value).__name__}, not a JSON object")
    return value
