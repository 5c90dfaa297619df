"""`distillery reward`: use a saved reward model, and see why it says what it says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.layout import path_of

if TYPE_CHECKING:
    from pipeline.records import Exchange, Response
    from pipeline.reward_model.explain import Explanation
    from pipeline.reward_model.model import RewardModel
    from pipeline.reward_model.texts import Text

app = typer.Typer(
    help="A saved reward model: explain, rank, filter, suggest.", no_args_is_help=True
)
Model = Annotated[Path, typer.Option(help="folder of a saved reward model")]
Exchanges = Annotated[Path, typer.Option(help="what was answered")]
Responses = Annotated[list[Path], typer.Argument(help="Parquet files of responses")]
MODEL = path_of("reward")
EXCHANGES = path_of("exchanges")


def register(main: typer.Typer) -> None:
    """Add the commands to `main`."""
    main.add_typer(app, name="reward")


@app.command()
def explain(
    text: Annotated[str, typer.Argument(help="a response, or the id of one")],
    prompt: Annotated[str, typer.Option(help="what the response answers")] = "",
    model: Model = MODEL,
    exchanges: Exchanges = EXCHANGES,
    responses: Annotated[
        Path, typer.Option(help="where an id is looked up: a file, or a folder of them")
    ] = path_of("responses"),
    nearest: Annotated[int, typer.Option(min=1, help="prototypes shown")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="print as JSON")] = False,
) -> None:
    """Show the reward of a response, its nearest prototypes and the examples behind them."""
    from pipeline.cli.console import say, say_json
    from pipeline.reward_model.explain import explain as why
    from pipeline.reward_model.texts import Text

    asked = _found(text, exchanges, responses) or Text(prompt, text)
    found = why(_loaded(model), asked, nearest=nearest)
    if as_json:
        say_json({"prompt": asked.prompt, "response": asked.response, **found.as_json()})
    else:
        say(_readable(asked, found))


@app.command()
def rank(
    files: Responses,
    out: Annotated[Path, typer.Option(help="Parquet file for the best response of each exchange")],
    rewards: Annotated[
        Path | None, typer.Option(help="JSON Lines file for the reward and rank of each response")
    ] = None,
    model: Model = MODEL,
    exchanges: Exchanges = EXCHANGES,
) -> None:
    """Keep the best response to each exchange, of all in FILES."""
    from pipeline.cli.console import note
    from pipeline.cli.refusals import require_different
    from pipeline.records import Response
    from pipeline.reward_model.applying import rank as ranked
    from pipeline.storage import write_table

    require_different(out=out, rewards=rewards)
    rows = list(ranked(_loaded(model), _exchanges(exchanges), _responses(files)))
    kept = write_table(out, Response, (one.response for one in rows if one.rank == 1))
    note(f"{out}: {kept} best of {len(rows)} responses")
    if rewards is not None:
        _write_lines(
            rewards,
            [{"id": one.response.id, "reward": one.reward, "rank": one.rank} for one in rows],
        )


@app.command("filter")
def filter_pairs(
    pairs: Annotated[Path, typer.Argument(help="Parquet file of preference pairs")],
    out: Annotated[Path, typer.Option(help="Parquet file for the pairs that are kept")],
    rejections: Annotated[Path, typer.Option(help="Parquet file for those that are not, and why")],
    least: Annotated[float, typer.Option(help="least margin, in log odds, that is kept")] = 0.0,
    weights: Annotated[
        Path | None, typer.Option(help="JSON Lines file for the margin and weight of each pair")
    ] = None,
    model: Model = MODEL,
    exchanges: Exchanges = EXCHANGES,
) -> None:
    """Drop the pairs whose chosen side is not ahead by LEAST."""
    from pipeline.cli.console import note
    from pipeline.cli.refusals import require_different
    from pipeline.records import PreferencePair, Rejection
    from pipeline.reward_model.applying import low_margin, weigh
    from pipeline.reward_model.texts import RewardError
    from pipeline.storage import read_table, write_table

    require_different(out=out, rejections=rejections, weights=weights)
    if out.resolve() == pairs.resolve():
        raise RewardError(f"{out}: is the file that is read\nGive --out another name.")
    known = _exchanges(exchanges) if exchanges.is_file() else {}
    found = weigh(_loaded(model), list(read_table(pairs, PreferencePair)), known)
    dropped = [(one, low_margin(one, least)) for one in found]
    kept = write_table(out, PreferencePair, (one.pair for one, why in dropped if why is None))
    write_table(rejections, Rejection, (why for _, why in dropped if why is not None))
    note(f"{out}: {kept} of {len(found)} pairs")
    if weights is not None:
        _write_lines(
            weights,
            [{"id": one.pair.id, "margin": one.margin, "weight": one.weight} for one in found],
        )


@app.command()
def suggest(
    files: Responses,
    out: Annotated[Path, typer.Option(help="JSON Lines file for select_annotations --scores")],
    model: Model = MODEL,
    exchanges: Exchanges = EXCHANGES,
) -> None:
    """Propose a rating for each response, with how sure the reward model is."""
    from pipeline.cli.console import note
    from pipeline.reward_model.applying import suggest as suggested

    known = _exchanges(exchanges)
    rows = list(suggested(_loaded(model), known, _responses(files)))
    _write_lines(out, [one.model_dump(mode="json") for one in rows])
    note(f"{out}: {len(rows)} suggestions")


def _loaded(folder: Path) -> RewardModel:
    from pipeline.features.embeddings import CachedEmbedder, MiniLm
    from pipeline.reward_model.encoder import FrozenEncoder
    from pipeline.reward_model.model import RewardModel

    return RewardModel.load(folder, FrozenEncoder(CachedEmbedder(MiniLm())))


def _exchanges(path: Path) -> dict[str, Exchange]:
    from pipeline.records import Exchange
    from pipeline.storage import read_table

    return {one.id: one for one in read_table(path, Exchange)}


def _responses(files: list[Path]) -> list[Response]:
    from pipeline.records import Response
    from pipeline.storage import read_table

    return [one for file in files for one in read_table(file, Response)]


def _found(row_id: str, exchanges: Path, responses: Path) -> Text | None:
    """Return the response with the id `row_id`; None if that is no id but a text."""
    from pipeline.reward_model.texts import RewardError, text_of

    if not row_id.startswith("response-") or " " in row_id:
        return None
    files = sorted(responses.glob("*.parquet")) if responses.is_dir() else [responses]
    for one in _responses(files):
        if one.id == row_id:
            return text_of(_exchanges(exchanges)[one.exchange_id], one)
    raise RewardError(f"{row_id}: not in {responses}\nGive --responses another file or folder.")


def _write_lines(path: Path, rows: list[dict[str, object]]) -> None:
    import json

    from pipeline.storage import AtomicFile

    with AtomicFile(path) as part:
        part.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def _readable(asked: Text, found: Explanation) -> str:
    lines = [
        f"“{asked.response}”",
        f"reward {found.reward:+.3f}: in the {found.stands} third of the training texts",
        f"  from prototypes {found.by_prototypes:+.3f}, "
        f"from single features {found.by_features:+.3f}",
    ]
    for near in found.nearest:
        lines += [
            "",
            f"prototype {near.prototype}: distance {near.distance:.2f}, {near.share:.0%} of this "
            f"text is here; training texts here have {near.worth:+.3f} on average",
        ]
        lines += [
            f"  {one.wins} of {one.pairs} preferred, distance {one.distance:.2f}: “{one.response}”"
            f"  [{one.id}]"
            for one in near.examples
        ]
    return "\n".join(lines)
