"""What was tried for the prototypes, on dialogues that no reported test pair is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.progress import track
from pipeline.reward_model.data import PairRows
from pipeline.reward_model.heads import build_head
from pipeline.reward_model.tuning import margins
from pipeline.statistics.calibration import wins
from studies.reward.data import Welivita

Trial = tuple[str, Mapping[str, Any]]

REPEATS = 4
HELD_SHARE = 0.35
# About 1, 2, 5, 10 and 25 percent of the pairs that `papers` trains on.
PAIRS = (93, 185, 463, 926, 2300)

LINEAR: tuple[Trial, ...] = tuple(("linear", {"l2": l2}) for l2 in (1.0, 0.1, 0.03, 0.01, 0.003))
PROTOTYPES: tuple[Trial, ...] = (
    *(
        ("prototype", {"places": places, "added": 0, "mix_end": 1.0, "l2": l2})
        for places in (4, 6, 8, 16, 32)
        for l2 in (0.03, 0.003)
    ),
    *(
        ("prototype", {"places": places, "added": 0, "mix_end": mix, "l2": l2})
        for places in (4, 8)
        for mix in (0.5, 0.25, 0.1)
        for l2 in (0.03, 0.01)
    ),
    *(
        ("prototype", {"places": 8, "added": added, "mix_end": mix, "l2": 0.01})
        for added in (4, 8, 32)
        for mix in (1.0, 0.5)
    ),
    *(
        ("prototype", {"init": "labelled", "added": 0, "mix_end": mix, "l2": l2})
        for mix in (1.0, 0.5)
        for l2 in (0.03, 0.01)
    ),
    *(
        ("prototype", {"added": 0, "mix_end": 0.5, "l2": 0.01, "steps": 50, **more})
        for more in ({}, {"dropout": 0.0}, {"diversity": 0.0})
    ),
)
OTHERS: tuple[Trial, ...] = (
    *(("nearest_centroid", {"shrink": shrink}) for shrink in (0.0, 1.0, 2.0)),
    *(("ridge", {"l2": l2}) for l2 in (1.0, 0.1, 0.01)),
)
SEARCH = (*LINEAR, *PROTOTYPES, *OTHERS)


def search(welivita: Welivita) -> list[dict[str, Any]]:
    """Return the accuracy of every trial, by number of pairs, over the same parted dialogues."""
    names = np.array(welivita.choosing)
    held = round(HELD_SHARE * len(names))
    right: dict[int, list[list[float]]] = {number: [] for number in range(len(SEARCH))}
    for repeat in track(range(REPEATS), "searching", total=REPEATS):
        order = np.random.default_rng((1, repeat)).permutation(names)
        data = welivita.texts.curve("choosing", order[held:].tolist(), order[:held].tolist())
        rank = {name: number for number, name in enumerate(order.tolist())}
        turn = np.argsort([rank[one] for one in data.train.groups.tolist()], kind="stable")
        for number, (name, settings) in enumerate(SEARCH):
            right[number].append([])
            seeded = {"seed": repeat, **settings} if name == "prototype" else settings
            head = build_head(name, seeded).prepare(data.features[data.unlabelled])
            for count in PAIRS:
                part: PairRows = data.train.take(turn[:count])
                head.fit(data.features, part, data.features[data.unlabelled])
                ahead = margins(head.score(data.features), data.test)
                right[number][-1].append(float(wins(ahead).mean()))
    return [
        {
            "model": name,
            **settings,
            "accuracy": {
                str(count): round(float(value), 4)
                for count, value in zip(PAIRS, np.mean(right[number], axis=0), strict=True)
            },
        }
        for number, (name, settings) in enumerate(SEARCH)
    ]
