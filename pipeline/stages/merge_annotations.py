"""Stage `merge_annotations`: all rounds become final labels, with agreement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pydantic import Field

from pipeline.annotation.agreement import agreement_report
from pipeline.annotation.anchoring import anchoring
from pipeline.annotation.bands import BandName
from pipeline.annotation.long_table import report_options, rounds_answers
from pipeline.annotation.rounds import read_round, resolve, round_files
from pipeline.config import Section
from pipeline.declare import Folder, In, Metrics, Out
from pipeline.records import Annotation, FinalLabel
from pipeline.storage import write_json, write_table


class MergeAnnotationsParams(Section):
    """Section `merge_annotations` of params.yaml; `bands` names whose words a coefficient gets."""

    bands: BandName
    resamples: int = Field(ge=100, description="bootstrap resamples")


def run(
    params: MergeAnnotationsParams,
    *,
    rounds: In[Folder],
    labels: Out[FinalLabel],
    metrics: Metrics,
) -> None:
    """Write the final labels, and the counts with agreement.

    A later round's label replaces an earlier one of the same question and unit; a label that a
    corpus came with never replaces a person's.
    """
    found = {number: read_round(path) for number, path in round_files(rounds).items()}
    final: dict[tuple[str, int, str], FinalLabel] = {}
    for number, rows in found.items():
        for label in resolve(rows, number):
            sentence = -1 if label.sentence is None else label.sentence
            key = label.item_id, sentence, label.question
            if label.method != "source" or key not in final or final[key].method == "source":
                final[key] = label
    write_table(labels, FinalLabel, (final[key] for key in sorted(final)))
    everything = [row for rows in found.values() for row in rows]
    options = report_options((), ours=True, bands=params.bands, resamples=params.resamples)
    report = {
        "rounds": {str(number): _describe(rows) for number, rows in found.items()},
        "final_labels": _by_method(final.values()),
        "agreement": agreement_report(rounds_answers(rounds), options),
        "anchoring": anchoring(everything),
    }
    write_json(metrics, report)


def _describe(rows: list[Annotation]) -> dict[str, object]:
    return {
        "rows": len(rows),
        "items": len({row.item_id for row in rows}),
        "annotators": len({row.annotator for row in rows}),
        "status": dict(sorted(Counter(row.status for row in rows).items())),
        "roles": dict(sorted(Counter(row.role for row in rows).items())),
        "guidelines": sorted({row.guidelines for row in rows}),
    }


def _by_method(labels: Iterable[FinalLabel]) -> dict[str, int]:
    return dict(sorted(Counter(label.method for label in labels).items()))
