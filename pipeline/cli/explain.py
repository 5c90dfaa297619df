"""`distillery explain`: where a row comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.reporting.explain import Step

SHOWN_DECISIONS = 8
LINEAGE = ("source", "licence", "operation", "prompt_id", "request_id")
HIDDEN = ("parents", "exchange_id", "response_id", "chosen_id", "rejected_id", "improves", "kept")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("explain")(explain)


def explain(
    row_id: Annotated[
        str, typer.Argument(help="an `id` from any table or export, or FILE:ROW of an export")
    ],
    build: Annotated[
        Path, typer.Option("--in", help="folder of the build, where `datasets` is")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="print the chain as JSON")] = False,
) -> None:
    """Show the chain from a row back to the raw record, with each decision on the way."""
    from pipeline.cli.console import say, say_json
    from pipeline.reporting.explain import explain as explain_row
    from pipeline.reporting.row_ids import row_id_of

    step = explain_row(row_id_of(row_id), build)
    if as_json:
        say_json(step.as_dict())
        return
    for line in tree_lines(step):
        say(line)


def tree_lines(step: Step) -> list[str]:
    """Return the chain as a drawn tree, one line per fact; a row met again is only named."""
    lines = [_title(step)]
    _grow(lines, step, indent="", shown={step.id})
    return lines


def _grow(lines: list[str], step: Step, *, indent: str, shown: set[str]) -> None:
    facts = {key: value for key, value in step.facts.items() if key not in HIDDEN}
    below = [f"{key}: {_plain(value)}" for key, value in facts.items() if key not in LINEAGE]
    lineage = [f"{key} {_plain(facts[key])}" for key in LINEAGE if key in facts]
    if lineage:
        below.append(", ".join(lineage))
    # All decisions on the row that was asked for, the first ones on those it was made from.
    decisions = step.decisions[: SHOWN_DECISIONS if indent else None]
    below += [f"→ {_plain(decision)}" for decision in decisions]
    if more := len(step.decisions) - len(decisions):
        below.append(f"→ and {more} more: distillery explain {_plain(step.id)}")
    for number, text in enumerate(below, start=1):
        last = number == len(below) and not step.parents
        lines.append(f"{indent}{'└── ' if last else '├── '}{text}")
    for number, parent in enumerate(step.parents, start=1):
        last = number == len(step.parents)
        seen = parent.id in shown
        shown.add(parent.id)
        lines.append(f"{indent}{'└── ' if last else '├── '}{_title(parent, again=seen)}")
        if not seen:
            _grow(lines, parent, indent=indent + ("    " if last else "│   "), shown=shown)


def _title(step: Step, *, again: bool = False) -> str:
    if again:
        return f"{step.id} (above)"
    return f"{step.id}  in {', '.join(step.found_in) or 'no table: it was dropped'}"


def _plain(value: object) -> str:
    """Return `value` without characters that a terminal would obey."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)
