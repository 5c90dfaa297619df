"""Where a row comes from."""

from __future__ import annotations

from pipeline.records.base import NonBlank, Record


class Lineage(Record):
    """The origin of one row: enough to walk back to the raw record.

    `parents` are the ids of the rows it was made from, none for an ingested row. `prompt_id`
    names the template and the hash of its text; `request_id` is the ledger key of the teacher
    call that wrote the text, where one did; `model` is who was called, and `teacher_prompt_id`
    names the templates it was called with. `flags` are suspicions about the text that it was made
    from, such as an imitated instruction; the text itself stays as it is.
    """

    source: NonBlank
    licence: NonBlank
    operation: NonBlank
    parents: tuple[str, ...] = ()
    prompt_id: str | None = None
    request_id: str | None = None
    model: str | None = None
    teacher_prompt_id: str | None = None
    flags: tuple[str, ...] = ()


class RawLocation(Record):
    """The place of a record in the file that it was read from.

    `row` counts data rows from 1 (a CSV header is not counted); `sha256` is that of the whole
    file as it was read.
    """

    file: NonBlank
    row: int
