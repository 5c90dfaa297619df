"""Disagreements go to one more person, who sees the answers so far or decides blind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pipeline.annotation.items import Item
from pipeline.annotation.rounds import disagreements
from pipeline.errors import PipelineError
from pipeline.records import Annotation


def disputed_items(items: Sequence[Item], annotations: Sequence[Annotation]) -> list[Item]:
    """Return the items on which submitted answers differ, for one person and without suggestions.

    Raises PipelineError if there is nothing to decide.
    """
    open_items = disagreements(annotations)
    if not open_items:
        raise PipelineError(
            "there is nothing to adjudicate: no item on which submitted answers differ\n"
            "Pull first, if annotators have answered since: distillery annotate pull"
        )
    known = {item.id: item for item in items}
    if missing := sorted(set(open_items) - set(known)):
        raise PipelineError(
            f"{missing[0]} ({len(missing)} such) is disputed, and not among the selected items\n"
            "Use the selection with which this round was pushed."
        )
    return [
        Item(id=item_id, fields=known[item_id].fields, hidden=known[item_id].hidden)
        for item_id in open_items
    ]


def describe_answers(annotations: Sequence[Annotation]) -> dict[str, str]:
    """Return, per disputed item, what each annotator answered, by letter instead of by name."""
    open_items = disagreements(annotations)
    by_item: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in annotations:
        if row.item_id in open_items and row.status == "submitted" and row.role == "annotator":
            value = ", ".join(row.value) if isinstance(row.value, tuple) else str(row.value)
            where = "" if row.sentence is None else f", sentence {row.sentence + 1}"
            by_item[row.item_id][row.annotator].append(f"{row.question}{where}: {value or 'none'}")
    return {
        item_id: "\n".join(
            [f"Differing: {', '.join(open_items[item_id])}"]
            + [
                f"Annotator {chr(ord('A') + number)}: " + "; ".join(sorted(lines))
                for number, (_, lines) in enumerate(sorted(answers.items()))
            ]
        )
        for item_id, answers in by_item.items()
    }
