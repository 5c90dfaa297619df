"""`distillery annotate`: from a server on this machine to labels in the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pipeline.cli import annotate_files
from pipeline.layout import path_of

annotate = typer.Typer(
    help="Label in Argilla: serve, push, pull, measure agreement, adjudicate.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Home = Annotated[Path, typer.Option(help="folder of the local server")]
Round = Annotated[int, typer.Option("--round", min=0, help="number of the round")]
Guidelines = Annotated[Path, typer.Option(help="folder of the codebook")]
AsJson = Annotated[bool, typer.Option("--json", help="for scripts")]
Selection = Annotated[Path, typer.Option(help="items, as the stage select_annotations writes them")]
Exchanges = Annotated[Path, typer.Option(help="exchanges of the corpus")]
Responses = Annotated[Path, typer.Option(help="responses of the corpus")]
Names = Annotated[str, typer.Option(help="account names, with commas in between")]

DEFAULT_HOME = Path(".distillery/argilla")
BOOK = path_of("guidelines")
SELECTION = path_of("selection")
EXCHANGES = path_of("exchanges")
RESPONSES = path_of("source")
SUGGESTIONS = path_of("suggestions")


def register(app: typer.Typer) -> None:
    """Add the group of commands to `app`."""
    for command in (up, down, status, push, pull, adjudicate):
        annotate.command(command.__name__)(command)
    annotate_files.register(annotate)
    app.add_typer(annotate, name="annotate")


def up(
    home: Home = DEFAULT_HOME,
    port: Annotated[int | None, typer.Option(min=1024, max=65535, help="port")] = None,
    venv: Annotated[Path | None, typer.Option(help="the server's environment")] = None,
) -> None:
    """Start Argilla's server and web page on this machine alone; the first time installs it."""
    from pipeline.annotation.local_argilla import install, process
    from pipeline.annotation.local_argilla.home import home_at
    from pipeline.cli.console import note, say

    at = home_at(home, venv)
    install.check_place(at)
    if not install.is_installed(at):
        note("Installing Argilla's server into an environment of its own: about 600 MB, a minute.")
    running = process.start(at, port=port)
    say(running.url)
    note(f"User and password: {at.credentials_file}")


def down(home: Home = DEFAULT_HOME) -> None:
    """Stop the local server; its data stays."""
    from pipeline.annotation.local_argilla import process
    from pipeline.annotation.local_argilla.home import home_at
    from pipeline.cli.console import say

    say("stopped" if process.stop(home_at(home)) else "there was none")


def status(
    round_number: Annotated[int | None, typer.Option("--round", min=0, help="a round")] = None,
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Show the server; with --round, progress by annotator and agreement so far."""
    from pipeline.annotation.local_argilla.home import home_at
    from pipeline.annotation.server_client import find_address
    from pipeline.cli.console import say, say_json

    at = home_at(home)
    if round_number is None:
        _show_server(at, as_json=as_json)
        return
    report = _round_status(find_address(at), round_number)
    if as_json:
        say_json(report)
        return
    for name, share in report["annotators"].items():
        done = ", ".join(f"{count} {what}" for what, count in share["responses"].items())
        say(f"{name}: {share['assigned']} assigned; {done or 'nothing yet'}")
    for question, alpha in report["krippendorff_alpha"].items():
        say(f"{question}: alpha {'undefined' if alpha is None else f'{alpha:.3f}'}")


def _show_server(at: Any, *, as_json: bool) -> None:
    from pipeline.annotation.local_argilla import process
    from pipeline.cli.console import say, say_json

    running = process.find(at)
    if as_json:
        say_json({"up": running is not None, "url": running.url if running else None})
    else:
        say(f"up: {running.url}" if running else "down")


def _round_status(address: Any, number: int) -> dict[str, Any]:
    from pipeline.annotation.agreement import live_alpha
    from pipeline.annotation.long_table import round_answers
    from pipeline.annotation.pseudonyms import load_pseudonyms
    from pipeline.annotation.pull import progress, pull

    shares = progress(address, number)
    answers = list(round_answers(pull(address, number, load_pseudonyms())))
    return {
        "round": number,
        "annotators": {
            name: {"assigned": share.assigned, "responses": dict(sorted(share.responses.items()))}
            for name, share in shares.items()
        },
        "krippendorff_alpha": live_alpha(answers),
    }


def push(
    annotators: Names,
    round_number: Round = 1,
    selection: Selection = SELECTION,
    exchanges: Exchanges = EXCHANGES,
    responses: Responses = RESPONSES,
    suggestions: Annotated[
        list[Path] | None,
        typer.Option(help=f"JSON Lines, the first file's first; none: {SUGGESTIONS}, if there"),
    ] = None,
    pairs: Annotated[Path | None, typer.Option(help="preference pairs instead")] = None,
    limit: Annotated[int, typer.Option(min=1, help="pairs at most")] = 100,
    wanted: Annotated[int, typer.Option(min=1, help="annotators of each pair")] = 1,
    guidelines: Guidelines = BOOK,
    home: Home = DEFAULT_HOME,
) -> None:
    """Send the selected items to annotators; what is there already stays as it is."""
    from pipeline.annotation.guidelines import load_guidelines
    from pipeline.annotation.items import pair_items, response_items
    from pipeline.annotation.local_argilla.home import home_at
    from pipeline.annotation.push import ACCOUNTS_FILE, Push
    from pipeline.annotation.push import push as send
    from pipeline.annotation.server_client import find_address
    from pipeline.cli.console import note, say
    from pipeline.params import load_params

    proposed = suggestions or ([SUGGESTIONS] if SUGGESTIONS.is_file() else [])
    items = (
        pair_items(pairs, exchanges, limit=limit, wanted=wanted)
        if pairs
        else response_items(selection, exchanges, responses, proposed)
    )
    done = send(
        find_address(home_at(home)),
        Push(
            round_number=round_number,
            kind="pairs" if pairs else "responses",
            items=items,
            annotators=_split(annotators),
            guidelines=load_guidelines(guidelines),
            seed=load_params().seed,
        ),
    )
    say(f"{done.dataset}: {done.added} added, {done.already_there} were there")
    if done.restored:
        note(f"{done.restored} had lost what was noted on them; it is there again")
    if done.new_accounts:
        note(f"New accounts: {', '.join(done.new_accounts)}; passwords in {ACCOUNTS_FILE}")


def pull(
    round_number: Round = 1,
    rounds: Annotated[Path, typer.Option(help="folder of the rounds")] = path_of("rounds"),
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Bring all answers of a round home; pulling again changes only what changed."""
    from pipeline.annotation.local_argilla.home import home_at
    from pipeline.annotation.pseudonyms import load_pseudonyms
    from pipeline.annotation.pull import pull_round
    from pipeline.annotation.rounds import add_to_round, round_path
    from pipeline.annotation.server_client import find_address
    from pipeline.cli.console import say, say_json

    path = round_path(round_number, rounds)
    pulled = pull_round(find_address(home_at(home)), round_number, load_pseudonyms())
    merged, rows = add_to_round(path, pulled)
    facts = {"rows": rows, "new": merged.new, "changed": merged.changed, "gone": merged.gone}
    if as_json:
        say_json({"file": str(path), **facts})
        return
    said = f"{path}: {rows} rows, {merged.new} new, {merged.changed} changed"
    say(said + (f"; {merged.gone} gone from the server were kept" if merged.gone else ""))


def adjudicate(
    adjudicator: Annotated[str, typer.Argument(help="account of the person who decides")],
    round_number: Round = 1,
    show: Annotated[
        Literal["blind", "answers"], typer.Option(help="what the adjudicator sees")
    ] = "blind",
    selection: Selection = SELECTION,
    exchanges: Exchanges = EXCHANGES,
    responses: Responses = RESPONSES,
    pairs: Annotated[Path | None, typer.Option(help="preference pairs instead")] = None,
    rounds: Annotated[Path, typer.Option(help="folder of the rounds")] = path_of("rounds"),
    guidelines: Guidelines = BOOK,
    home: Home = DEFAULT_HOME,
) -> None:
    """Send the items on which annotators differ, and only those, to one more person."""
    from pipeline.annotation.adjudicate import describe_answers, disputed_items
    from pipeline.annotation.guidelines import load_guidelines
    from pipeline.annotation.items import pair_items, response_items
    from pipeline.annotation.local_argilla.home import home_at
    from pipeline.annotation.push import Push
    from pipeline.annotation.push import push as send
    from pipeline.annotation.rounds import read_round, round_path
    from pipeline.annotation.server_client import find_address
    from pipeline.cli.console import say
    from pipeline.params import load_params

    annotations = read_round(round_path(round_number, rounds))
    items = (
        pair_items(pairs, exchanges, limit=10**9)
        if pairs
        else response_items(selection, exchanges, responses)
    )
    done = send(
        find_address(home_at(home)),
        Push(
            round_number=round_number,
            kind="pairs" if pairs else "responses",
            items=disputed_items(items, annotations),
            annotators=_split(adjudicator),
            guidelines=load_guidelines(guidelines),
            seed=load_params().seed,
            adjudication=True,
            answers=describe_answers(annotations) if show == "answers" else None,
        ),
    )
    say(f"{done.dataset}: {done.added} added, {done.already_there} were there")


def _split(names: str) -> list[str]:
    from pipeline.errors import PipelineError

    found = [name.strip() for name in names.split(",") if name.strip()]
    if not found:
        raise PipelineError("no account is named\nGive names with commas in between: ann,ben")
    return found
