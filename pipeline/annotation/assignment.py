"""Who labels what: named annotators, evenly loaded, an item's annotators all different."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations

from pipeline.annotation.items import Item
from pipeline.errors import PipelineError


def assign(items: Sequence[Item], annotators: Sequence[str], *, seed: int) -> dict[str, list[str]]:
    """Return the annotators of each item: as many as it wants, loads differing by at most one.

    Those with the least load come first; among equals, whoever shared the fewest items with the
    others, so that each pair of annotators overlaps. The order among the rest is drawn by `seed`.
    """
    names = sorted(set(annotators))
    most = max((item.wanted for item in items), default=1)
    if most > len(names):
        raise PipelineError(
            f"{most} annotators are wanted for some items, {len(names)} named\n"
            "Name more with --annotators, or lower select_annotations.overlap_annotators."
        )
    draw = random.Random(seed)  # noqa: S311  a fair draw, no secret
    load = dict.fromkeys(names, 0)
    shared = dict.fromkeys(combinations(names, 2), 0)
    chosen: dict[str, list[str]] = {}
    # Items that want many go first: the single ones then level the loads.
    for item in sorted(items, key=lambda item: -item.wanted):
        picked: list[str] = []
        for _ in range(item.wanted):
            picked.append(
                min(
                    (name for name in names if name not in picked),
                    key=lambda name: (
                        load[name],
                        sum(shared[_pair(name, other)] for other in picked),
                        draw.random(),
                    ),
                )
            )
        for name in picked:
            load[name] += 1
        for left, right in combinations(sorted(picked), 2):
            shared[left, right] += 1
        chosen[item.id] = sorted(picked)
    return chosen


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)
