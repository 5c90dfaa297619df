"""In which order rows are trained on: batches of similar length, in seeded order."""

from __future__ import annotations

import random
from collections.abc import Sequence

# Rows are shuffled, then sorted by length within pools of this many batches: batches are nearly
# free of padding and still differ from epoch to epoch.
POOL_BATCHES = 16


def bucketed_batches(
    lengths: Sequence[int], *, batch_size: int, epochs: int, seed: int
) -> list[list[int]]:
    """Return the batches of all epochs, as places in `lengths`; a function of its arguments alone.

    Every row comes once per epoch. The last batch of an epoch may be smaller. Since the whole order
    is known beforehand, a resumed run goes on exactly where the other one was stopped.
    """
    draw = random.Random(seed)  # noqa: S311  an order is no secret
    batches: list[list[int]] = []
    for _ in range(epochs):
        places = list(range(len(lengths)))
        draw.shuffle(places)
        epoch: list[list[int]] = []
        for start in range(0, len(places), batch_size * POOL_BATCHES):
            pool = sorted(
                places[start : start + batch_size * POOL_BATCHES], key=lambda at: lengths[at]
            )
            epoch += [pool[at : at + batch_size] for at in range(0, len(pool), batch_size)]
        draw.shuffle(epoch)
        batches += epoch
    return batches
