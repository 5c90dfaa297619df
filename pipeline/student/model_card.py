"""The card of an exported student: what it is made of, what may be done with it, what it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.sources.licences import NONE_STATED
from pipeline.storage import AtomicFile
from pipeline.student.adapters import read_adapter
from pipeline.student.base_model import read_base

if TYPE_CHECKING:
    from pipeline.student.students import Student

LIMITS = (
    "It was trained on single turns in English. It has no memory of a person and no judgement.",
    "It is no counsellor and no help in an emergency; do not put it between a person in need and "
    "people who can help.",
    "A small model repeats itself, contradicts itself and makes things up.",
    "What raters of one study liked is what it learned to say; that is not empathy.",
)


def write_model_card(path: Path, student: Student, form: str, finding: str) -> None:
    """Write the card to `path`; `finding` is what the check of what was exported said."""
    base = read_base(student.base)
    spdx = "other" if student.licence == NONE_STATED else student.licence.lower()
    may = (
        "None of the data's owners stated a licence: **do not publish this model.**"
        if student.licence == NONE_STATED
        else f"{student.licence}: the most restrictive licence of the base model and the data."
    )
    lines = [
        "---",
        f"license: {spdx}",
        "language: en",
        "---",
        f"# {student.name}",
        "",
        f"Form: {form}. Checked after writing: {finding}.",
        "",
        "## Lineage",
        "",
        f"- base: {base['name']} ({base['licence']}), weights sha256 `{base['sha256']}`",
    ]
    for adapter in student.adapters:
        facts = read_adapter(adapter)
        lines.append(
            f"- {adapter.name}: {facts.rows} rows, content `{facts.data}`, licence of all so far: "
            f"{facts.licence}; weights sha256 `{facts.sha256}`"
        )
    lines += ["", "## Licence", "", may, "", "## Limits", ""]
    lines += [f"- {limit}" for limit in LIMITS]
    with AtomicFile(path) as part:
        part.write_text("\n".join([*lines, ""]), encoding="utf-8")
