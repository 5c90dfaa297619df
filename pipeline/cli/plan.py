"""`distillery plan`: what the teacher would be asked, and what it would cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.corpora.drafts import Task
    from pipeline.llm import EmbedderRole, LlmRole
    from pipeline.llm.plan import Plan
    from pipeline.params import Params
    from pipeline.records import Rejection


# What tells who meets whom: the judge is asked about replies that are written already.
REPLIES = ("exchanges", "responses", "splits", "generations")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("plan")(plan)


def plan(
    names: Annotated[
        list[str] | None, typer.Argument(help="distillations of params.yaml; none: all")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the plan as JSON")] = False,
) -> None:
    """Show calls, tokens and cost per stage before any call is made.

    Tokens are low / expected / high: low and expected are estimates, high is a bound. A price that
    params.yaml does not give is unknown, never 0.
    """
    from pipeline.cli.console import say, say_json
    from pipeline.llm.budget import Spent, check_prices
    from pipeline.llm.ledger_file import LedgerReader
    from pipeline.llm.open_chat import ledger_path
    from pipeline.params import load_params

    params = load_params()
    check_prices(params.llm.teacher, params.llm.budget)
    ledger = LedgerReader(ledger_path()) if ledger_path().is_file() else None
    rows = [_planned(params, name, ledger) for name in names or params.distillations]
    if not names and params.llm.judge is not None and "llm" in params.evaluate.judges:
        rows.append(_planned_judging(params, ledger))
    if not names and params.llm.rater is not None and params.llm.rater.engine != "recorded":
        rows.append(_planned_rating(params, params.llm.rater, ledger))
    if not names and params.llm.embedder is not None and params.llm.embedder.engine != "recorded":
        rows.append(_planned_embedding(params.llm.embedder, ledger))
    spent = ledger.spent() if ledger else Spent()
    budget = params.llm.budget.model_dump()
    if as_json:
        say_json({"stages": rows, "spent": vars(spent), "budget": budget})
        return
    say("\n".join(plan_table(rows)))
    say(f"\nSpent so far: {spent.calls} calls, {spent.tokens} tokens, {spent.usd:.4f} USD.")
    caps = ", ".join(f"{name} {value}" for name, value in budget.items() if value is not None)
    say(f"Budget: {caps or 'no cap (set llm.budget in params.yaml)'}.")


def _planned(params: Params, name: str, ledger: Any) -> dict[str, Any]:
    from pipeline.stages.distil import plan_distilling

    chat = plan_distilling(
        read_distillation(params, name, limit=params.distil.limit),
        name,
        params.distillation(name).strategy,
        params.llm.teacher,
        params.prompt,
        ledger,
    )
    return _row(f"distil@{name}", "teacher", chat)


def _planned_judging(params: Params, ledger: Any) -> dict[str, Any]:
    from pipeline.dag.signature import stage_paths
    from pipeline.evaluation.llm_judge import STAGE, plan_judging
    from pipeline.stages.evaluate import read_tournament

    assert params.llm.judge is not None  # the caller's own check
    paths = stage_paths(STAGE)
    tournament = read_tournament(params.models, **{name: paths[name] for name in REPLIES})
    return _row(
        STAGE, "judge", plan_judging(tournament.contests(), params.llm.judge, ledger=ledger)
    )


def _planned_rating(params: Params, rater: LlmRole, ledger: Any) -> dict[str, Any]:
    from pipeline.dag.signature import stage_paths
    from pipeline.stages.rate import STAGE, plan_rating

    paths = stage_paths(STAGE)
    chat = plan_rating(
        params.rate,
        rater,
        exchanges=paths["exchanges"],
        responses=paths["responses"],
        ledger=ledger,
    )
    return _row(STAGE, "rater", chat)


def _planned_embedding(embedder: EmbedderRole, ledger: Any) -> dict[str, Any]:
    from pipeline.dag.signature import stage_paths
    from pipeline.stages.featurize import STAGE, plan_vectors

    paths = stage_paths(STAGE)
    plan = plan_vectors(
        embedder, exchanges=paths["exchanges"], responses=paths["responses"], ledger=ledger
    )
    return _row(STAGE, "embedder", plan)


def _row(stage: str, role: str, plan: Plan) -> dict[str, Any]:
    usd = plan.usd()
    return {
        "stage": stage,
        "role": role,
        "model": plan.role.model,
        "calls": plan.calls,
        "in_ledger": plan.in_ledger,
        "tokens_in": [round(value) for value in vars(plan.tokens_in).values()],
        "tokens_out": [round(value) for value in vars(plan.tokens_out).values()],
        "usd": "unknown" if usd is None else [round(value, 4) for value in usd],
        "measured_on": plan.measured.answers,
    }


def read_distillation(
    params: Params, name: str, *, limit: int | None
) -> Iterator[Task | Rejection]:
    """Yield the tasks of distillation `name` from the files of the build.

    Where what it improves is still to be written, the tasks have nothing to improve yet.
    """
    from pipeline.corpora.drafts import read_tasks
    from pipeline.dag.signature import stage_paths
    from pipeline.errors import MissingFileError

    distillation = params.distillation(name)
    paths = stage_paths("distil", key=name, parents=distillation.parents)
    if not paths["splits"].is_file():
        raise MissingFileError(paths["splits"], hint="Run `dvc repro split` first: it is free.")
    if not paths["responses"].is_file():
        first = params.distillation(distillation.parents)
        paths["responses"] = stage_paths("distil", key=name, parents=first.parents)["responses"]
        distillation = first
    return read_tasks(
        distillation,
        reference=params.responders.reference_responder,
        prompt=params.prompt,
        over_long=params.distil.over_long,
        limit=limit,
        exchanges=paths["exchanges"],
        responses=paths["responses"],
        splits=paths["splits"],
    )


def plan_table(rows: list[dict[str, Any]]) -> list[str]:
    """Return the plan as the lines of a Markdown table, with its sum."""
    lines = [
        "| stage | role | model | calls | in ledger | tokens in | tokens out | USD |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        lines.append(
            f"| {row['stage']} | {row['role']} | {row['model']} | {row['calls']:,} "
            f"| {row['in_ledger']:,} | {_range(row['tokens_in'])} | {_range(row['tokens_out'])} "
            f"| {_usd(row['usd'])} |"
        )
    known = [row["usd"] for row in rows if row["usd"] != "unknown"]
    total = (
        [sum(column) for column in zip(*known, strict=True)]
        if len(known) == len(rows) and rows
        else "unknown"
    )
    lines.append(
        f"| all | | | {sum(row['calls'] for row in rows):,} "
        f"| {sum(row['in_ledger'] for row in rows):,} "
        f"| {_range(_sum(rows, 'tokens_in'))} | {_range(_sum(rows, 'tokens_out'))} "
        f"| {_usd(total)} |"
    )
    return lines


def _sum(rows: list[dict[str, Any]], column: str) -> list[int]:
    return [sum(row[column][at] for row in rows) for at in range(3)]


def _range(values: list[int]) -> str:
    return " / ".join(f"{value:,}" for value in values)


def _usd(value: list[float] | str) -> str:
    return value if isinstance(value, str) else " / ".join(f"{part:,.2f}" for part in value)
