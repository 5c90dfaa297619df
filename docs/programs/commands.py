"""The commands as a Markdown table, for docs/commands.md."""

from __future__ import annotations


def commands() -> str:
    """Return every command for people, with the first sentence of its help."""
    import typer.main

    from pipeline.cli import app

    lines = ["", "| command | what it does |", "|---|---|"]
    for command in app.registered_commands:
        if command.callback:
            usage = typer.main.get_command_from_info(
                command, pretty_exceptions_short=True, rich_markup_mode=None
            )
            sentence = (command.callback.__doc__ or "").split("\n")[0]
            lines.append(f"| `distillery {usage.name}` | {sentence} |")
    for group in app.registered_groups:
        if group.typer_instance:
            purpose = typer.main.get_group(group.typer_instance).help
            lines.append(f"| `distillery {group.name} …` | {purpose} |")
    return "\n".join([*lines, ""]) + "\n"
