"""`distillery explain`: where a row comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.tree import Tree

    from pipeline.reporting.explain import Step

SHOWN_LAST = ("source", "licence", "operation", "prompt_id", "request_id")
HIDDEN = ("parents", "exchange_id", "response_id", "chosen_id", "rejected_id", "group")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("explain")(explain)


def explain(
    row_id: Annotated[str, typer.Argument(help="the `id` of a row, from any table or export")],
    build: Annotated[
        Path, typer.Option("--in", help="folder of the build, where `datasets` is")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="print the chain as JSON")] = False,
) -> None:
    """Show the chain from a training row back to the raw record, with each decision."""
    from pipeline.cli.console import say_json
    from pipeline.reporting.explain import explain as explain_row

    step = explain_row(row_id, build)
    if as_json:
        say_json(step.as_dict())
        return
    from rich.console import Console
    from rich.tree import Tree

    tree = Tree(_title(step))
    _grow(tree, step)
    Console(soft_wrap=True, highlight=False).print(tree)


def _title(step: Step) -> str:
    from rich.markup import escape

    where = ", ".join(step.found_in) or "dropped; in no table"
    return f"[bold]{escape(step.id)}[/bold]  {escape(where)}"


def _grow(tree: Tree, step: Step) -> None:
    from rich.text import Text

    facts = {key: value for key, value in step.facts.items() if key not in HIDDEN}
    for key in sorted(facts, key=lambda name: (name in SHOWN_LAST, list(facts).index(name))):
        tree.add(Text(f"{key}: {_plain(facts[key])}"))
    for decision in step.decisions:
        tree.add(Text(f"→ {_plain(decision)}"))
    for parent in step.parents:
        _grow(tree.add(_title(parent)), parent)


def _plain(value: object) -> str:
    """Return `value` without characters that a terminal would obey."""
    return "".join(sign if sign.isprintable() else "�" for sign in str(value))
