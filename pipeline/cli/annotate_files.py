"""The commands of `distillery annotate` that need no server."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pipeline.layout import path_of

AsJson = Annotated[bool, typer.Option("--json", help="for scripts")]
Rounds = Annotated[Path, typer.Option(help="folder of the rounds")]
ROUNDS = path_of("rounds")
BOOK = path_of("guidelines")


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("agreement")(agreement)
    app.command("design")(plan)
    app.command("import")(take)
    app.command("export")(give)


def agreement(
    file: Annotated[Path | None, typer.Argument(help="a long table; none: all rounds")] = None,
    item: Annotated[str, typer.Option(help="column of the item")] = "item",
    annotator: Annotated[str, typer.Option(help="column of the annotator")] = "annotator",
    question: Annotated[str, typer.Option(help="column of the question")] = "question",
    value: Annotated[str, typer.Option(help="column of the answer")] = "value",
    scale: Annotated[
        list[str] | None, typer.Option(help="QUESTION=nominal, ordinal or interval")
    ] = None,
    bands: Annotated[Literal["cicchetti", "koo_li"], typer.Option(help="words")] = "cicchetti",
    resamples: Annotated[int, typer.Option(min=100, help="of the bootstrap")] = 2000,
    posterior: Annotated[
        Literal["dawid_skene", "mace"] | None, typer.Option(help="also P(label) by this model")
    ] = None,
    rounds: Rounds = ROUNDS,
    as_json: AsJson = False,
) -> None:
    """Measure agreement in any long table of item, annotator, question, value, or in our rounds."""
    from pipeline.annotation.agreement import agreement_report
    from pipeline.annotation.long_table import (
        LongColumns,
        read_long_table,
        report_options,
        rounds_answers,
    )
    from pipeline.annotation.posteriors import label_posteriors
    from pipeline.cli.console import say_json

    answers = (
        read_long_table(file, LongColumns(item, annotator, question, value))
        if file
        else rounds_answers(rounds)
    )
    options = report_options(scale or (), ours=file is None, bands=bands, resamples=resamples)
    report = agreement_report(answers, options)
    if posterior:
        asked = [name for name, facts in report["questions"].items() if "scale" in facts]
        report["posteriors"] = {name: label_posteriors(answers, name, posterior) for name in asked}
    if as_json:
        say_json(report)
    else:
        _show(report)


def _show(report: dict[str, Any]) -> None:
    from pipeline.cli.console import say as say_line
    from pipeline.pages import printable

    def say(text: str) -> None:
        say_line(" ".join(printable(text).splitlines()))

    for name, facts in report["questions"].items():
        say(f"{name}: {facts['units']} units, {facts['annotators']} annotators")
        groups = facts.get("codes") or {"": facts}
        for code, group in groups.items():
            for coefficient, one in group["overall"].items():
                say(f"  {code + ': ' if code else ''}{coefficient}: {_in_words(one)}")
    say(f"Intervals: {report['interval']}. Words: {report['bands']}.")


def _in_words(one: dict[str, Any]) -> str:
    if one["value"] is None:
        return str(one["reason"])
    ends = f" ({one['low']:.3f} to {one['high']:.3f})" if one["low"] is not None else ""
    return f"{one['value']:.3f}{ends}" + (f", {one['band']}" if one["band"] else "")


def plan(
    raters: Annotated[int, typer.Option(help="annotators per item")] = 3,
    alpha: Annotated[float, typer.Option(help="the alpha that is expected")] = 0.7,
    width: Annotated[float, typer.Option(help="of the interval, from end to end")] = 0.1,
    categories: Annotated[int, typer.Option(help="possible answers")] = 3,
    prevalence: Annotated[str | None, typer.Option(help="their shares, as 0.2,0.3,0.5")] = None,
    scale: Annotated[
        Literal["nominal", "ordinal", "interval"], typer.Option(help="of the answers")
    ] = "nominal",
    overlap: Annotated[float, typer.Option(help="share of items that all label")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Say how many labels are needed to know agreement to a given width."""
    from pipeline.annotation.design import design
    from pipeline.cli.console import say, say_json
    from pipeline.errors import PipelineError

    try:
        shares = tuple(float(one) for one in prevalence.split(",")) if prevalence else None
    except ValueError as error:
        raise PipelineError(f"--prevalence {prevalence}: shares are numbers, as 0.2,0.8") from error
    result = design(
        raters=raters,
        alpha=alpha,
        width=width,
        categories=categories,
        prevalence=shares,
        scale=scale,
        overlap=overlap,
    )
    if as_json:
        say_json(asdict(result))
        return
    say(
        f"{result.items} items by {raters} annotators each ({result.labels} labels) give a "
        f"{result.level:.0%} interval of about {width} around alpha {alpha}"
    )
    if overlap < 1:
        say(f"With {overlap:.0%} overlap: a round of {result.total_items} items")


def take(
    path: Annotated[Path, typer.Argument(help="labels of another tool, or of a corpus")],
    out: Annotated[Path | None, typer.Option(help="file to write, instead of a round")] = None,
    round_number: Annotated[int | None, typer.Option("--round", min=0, help="a round")] = None,
    corpus: Annotated[
        Literal["annomi", "esconv", "mi_strategy", "sample", "welivita2023"] | None,
        typer.Option(help="the corpus that PATH is of; none: a table of labels"),
    ] = None,
    question: Annotated[
        list[str] | None, typer.Option(help="a question in PATH that is not ours; again for more")
    ] = None,
    rounds: Rounds = ROUNDS,
    guidelines: Annotated[Path, typer.Option(help="folder of the codebook")] = BOOK,
) -> None:
    """Take in labels as a round: a table of item_id, annotator, question, value, or a corpus."""
    from pipeline.annotation.guidelines import load_guidelines
    from pipeline.annotation.imports import read_corpus
    from pipeline.annotation.pseudonyms import load_pseudonyms
    from pipeline.annotation.rounds import add_to_round, round_path
    from pipeline.annotation.transfer import one_answer_each, read_labels
    from pipeline.cli.console import say
    from pipeline.errors import PipelineError

    if (out is None) == (round_number is None):
        raise PipelineError("give --round NUMBER or --out FILE")
    target = out or round_path(round_number or 0, rounds)
    if corpus:
        labels = enumerate(read_corpus(corpus, path), start=1)
        annotations = one_answer_each(path, labels, counted="label")
    else:
        version = load_guidelines(guidelines).version
        names = load_pseudonyms()
        annotations = read_labels(path, names, guidelines=version, own=question or ())
    merged, rows = add_to_round(target, annotations, whole_records=False)
    say(f"{target}: {rows} rows, {merged.new} new, {merged.changed} changed")


def give(
    out: Annotated[Path, typer.Option(help="JSON Lines file to write")],
    round_number: Annotated[int | None, typer.Option("--round", min=0, help="a round")] = None,
    file: Annotated[Path | None, typer.Option(help="a round's file instead")] = None,
    items: Annotated[Path | None, typer.Option(help="a selection: write its texts")] = None,
    exchanges: Annotated[Path, typer.Option(help="exchanges of the corpus")] = path_of("exchanges"),
    responses: Annotated[Path, typer.Option(help="responses of the corpus")] = path_of("source"),
    rounds: Rounds = ROUNDS,
) -> None:
    """Write a round's labels, or the selected items with their questions, for another tool."""
    from pipeline.annotation.items import response_items
    from pipeline.annotation.rounds import read_round, round_path
    from pipeline.annotation.transfer import write_items, write_labels
    from pipeline.cli.console import say
    from pipeline.errors import PipelineError

    if sum(one is not None for one in (round_number, file, items)) != 1:
        raise PipelineError("give one of --round NUMBER, --file ROUND_FILE, --items SELECTION")
    if items:
        write_items(out, response_items(items, exchanges, responses), "responses")
    else:
        write_labels(out, read_round(file or round_path(round_number or 0, rounds)))
    say(str(out))
