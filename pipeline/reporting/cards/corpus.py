"""The card of one corpus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.layout import place
from pipeline.reporting.cards.front import dataset_front
from pipeline.reporting.cards.rendering import Card, render_card
from pipeline.reporting.facts import Fact, Facts, Figure, NotBuilt, share, total
from pipeline.sources.licences import may_be_published

INGEST = place("ingest.metrics")
SPLITS = place("split.metrics")
COUNTS = place("count_corpora.out")
DESCRIPTIONS = place("describe_corpora.out")
AUDIT = place("audit")
ANNOTATIONS = place("merge_annotations.metrics")
CARD_TABLES = {
    "sft": "datasets/sft/{}.parquet",
    "preferences_strict": "datasets/preferences/strict/{}.parquet",
    "preferences_authors": "datasets/preferences/authors/{}.parquet",
}
TITLES = {
    "sft": "supervised",
    "preferences_strict": "strict pairs",
    "preferences_authors": "authors' pairs",
}
METHODS = {
    "direct": "rated responses of teachers beside the reference response",
    "reference": "the reference responses alone",
    "human": "reference responses, made better by a teacher",
    "llm": "a teacher's first responses, made better by itself",
}
SYNTHETIC = {
    "all": "Every text of the source was written by a language model.",
    "part": "A part of the source's responses was written by language models.",
    "none": "The texts of the source were written by people.",
    "not stated": "Whether a language model wrote texts of the source is not stated.",
}
USEFUL_ROWS = 500


@dataclass(frozen=True)
class _Finding:
    """A detector that found something in a table, per row that it looked at."""

    table: str
    detector: Fact
    rate: Figure


@dataclass(frozen=True)
class _Counted:
    """The findings of one detector in one table."""

    table: str
    counts: Figure


KEPT_OF_RATERS = (
    "Of those who rated the source, the build keeps a pseudonym, a keyed hash, and, where the "
    "source has it, the total of their Toronto Empathy Questionnaire (rater_teq): with both, a "
    "scorer takes out how leniently they rate. They stand in the table of the source's responses "
    "and in none of this corpus; the ids themselves are in no table."
)


def corpus_licence(name: str, facts: Facts) -> str | None:
    """Return the licence that decides about the corpus `name`; None if it has no row."""
    found: str | None = facts.need(COUNTS)["corpora"][name]["strict"]["licence"].raw
    return found


def corpus_card(
    name: str, facts: Facts, *, configs: Sequence[Mapping[str, Any]] | None = None
) -> Card:
    """Return the card of the corpus `name`, YAML first, and the figures in it.

    `configs` are those of the Hub: `[{config_name, data_files: [{split, path}]}]`; none: the tables
    where the pipeline keeps them. What is not measured yet is said to be so. Raises
    NotBuiltError if the corpus itself was not built, and FactError for a file of another shape.
    """
    description = facts.need(DESCRIPTIONS)
    corpus = description["corpora"][name]
    tables = corpus["tables"]
    published = facts.need(COUNTS)["corpora"][name]
    licence = corpus_licence(name, facts)
    audit = facts.find(AUDIT)
    summaries = _summaries(name, facts)
    known = {
        "name": name,
        "ingest": facts.need(INGEST),
        "splits": facts.need(SPLITS),
        "description": description,
        "method": METHODS[corpus["method"].raw],
        "tables": tables,
        "published": published,
        "licence": published["strict"]["licence"],
        "may_be_published": None if licence is None else may_be_published(licence),
        "teachers": [
            one.figure for one in corpus.get("teachers") or description["teacher_responders"]
        ],
        "calls": facts.find(place("distil.metrics", key=corpus["responses"].raw)),
        "gate": facts.find(place("validation", key=name)),
        "audit": audit,
        "audited": _audited(name, audit),
        "summary": facts.find(f"{place('findings')}/sft-{name}/summary.json"),
        "findings": list(_findings(summaries)),
        "crisis": _counted(summaries, "crisis"),
        "personal": _counted(summaries, "personal_data"),
        "unchecked": _unchecked(summaries),
        "kept_of_raters": KEPT_OF_RATERS,
        "agreement": facts.find(ANNOTATIONS),
        "machine": _machine_written(description, tables),
        "synthetic_source": SYNTHETIC[facts.need(INGEST)["synthetic"].raw],
        "small": tables["sft"]["rows"].raw < USEFUL_ROWS,
    }
    front = dataset_front(name, facts, tables, licence=licence, configs=configs)
    return render_card("corpus.md.j2", front, **known, **_functions(name, facts, known))


def _functions(name: str, facts: Facts, known: Mapping[str, Any]) -> dict[str, Any]:
    tables, published = known["tables"], known["published"]
    pairs = tables["preferences_strict"]["responders"]
    return {
        "share": share,
        "command_for": facts.graph.command_for,
        "title_of": lambda table: TITLES[table.pointer[-1]],
        "path_of": lambda table: CARD_TABLES[table.pointer[-1]].format(name),
        "crossed": lambda what: _crossed([table[what] for table in tables]),
        "responders": _crossed(
            [
                tables["sft"]["responders"].get("response"),
                pairs.get("chosen"),
                pairs.get("rejected"),
            ]
        ),
        "rejections": _crossed(
            [
                published["strict"]["sft_rejections"],
                published["strict"]["rejections"],
                published["authors"]["rejections"],
            ]
        ),
        "alphas": alphas,
        "files": sorted({fact.origin for fact in _files(known.values())}),
    }


def _files(values: Iterable[Any]) -> Iterable[Fact]:
    for value in values:
        if isinstance(value, Fact):
            yield value
        elif isinstance(value, list):
            yield from _files(getattr(one, "detector", one) for one in value)


def _crossed(columns: Sequence[Fact | None]) -> list[tuple[Figure, list[Fact | str]]]:
    """Return (name, cells) for each name that stands in any of the columns."""
    names: dict[str, Figure] = {}
    for column in columns:
        for cell in column or ():
            names.setdefault(cell.pointer[-1], cell.called)
    return [
        (
            figure,
            [column[key] if column is not None and key in column else "–" for column in columns],
        )
        for key, figure in names.items()
    ]


def audit_names(name: str) -> list[str]:
    """Return what the audit calls the tables of the corpus `name`."""
    return [f"sft-{name}", f"preferences-strict-{name}", f"preferences-authors-{name}"]


def _audited(name: str, audit: Fact | NotBuilt) -> list[Fact]:
    if isinstance(audit, NotBuilt):
        return []
    return [audit[one] for one in audit_names(name) if one in audit]


def _summaries(name: str, facts: Facts) -> list[tuple[str, Fact]]:
    """Return (table, what the audit says of it) for the tables of a corpus."""
    found = [
        (title, facts.find(f"{place('findings')}/{one}/summary.json"))
        for one, title in zip(audit_names(name), TITLES.values(), strict=True)
    ]
    return [(title, one) for title, one in found if not isinstance(one, NotBuilt)]


def _findings(summaries: Iterable[tuple[str, Fact]]) -> Iterable[_Finding]:
    for table, summary in summaries:
        for detector in summary["detectors"]:
            loud = [detector["counts"]["critical"], detector["counts"]["warning"]]
            count = total(loud)
            if count.value:
                rows = detector["rows_checked"]
                rate = Figure(
                    count.value / rows.raw if rows.raw else None,
                    (*count.sources, rows.place),
                    "share",
                )
                yield _Finding(table, detector, rate)


def _counted(summaries: Iterable[tuple[str, Fact]], detector: str) -> list[_Counted]:
    return [
        _Counted(table, total(list(summary["detectors"][detector]["counts"])))
        for table, summary in summaries
        if detector in summary["detectors"]
    ]


def _unchecked(summaries: Iterable[tuple[str, Fact]]) -> list[Figure]:
    """Return the detectors that looked at none of the tables."""
    status: dict[str, list[Fact]] = {}
    for _, summary in summaries:
        for detector in summary["detectors"]:
            status.setdefault(detector.pointer[-1], []).append(detector)
    return [
        found[0].called
        for found in status.values()
        if all(one["status"].raw != "ok" for one in found)
    ]


def _machine_written(description: Fact, tables: Fact) -> dict[str, Figure]:
    """Return how many rows of a side were written by anyone but the reference responder."""
    reference = description["reference_responder"].raw
    sides = {
        "supervised": tables["sft"]["responders"].get("response"),
        "chosen": tables["preferences_strict"]["responders"].get("chosen"),
    }
    return {
        name: total([one for one in side or () if one.pointer[-1] != reference])
        for name, side in sides.items()
    }


def alphas(report: Fact) -> list[tuple[Figure, Fact]]:
    """Return (question or code, its figures) where an alpha was computed."""
    found = []
    for question in report["agreement"]["questions"]:
        for one in question.get("codes") or (question,):
            if "overall" in one and one["overall"]["krippendorff_alpha"]["value"].raw is not None:
                found.append((one.called, one["overall"]["krippendorff_alpha"]))
    return found
