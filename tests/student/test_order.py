from __future__ import annotations

from collections import Counter

from pipeline.student.order import bucketed_batches

LENGTHS = [(at * 37) % 101 + 5 for at in range(103)]


def test_every_row_comes_once_per_epoch() -> None:
    batches = bucketed_batches(LENGTHS, batch_size=4, epochs=3, seed=1)

    assert Counter(at for batch in batches for at in batch) == dict.fromkeys(range(103), 3)
    assert max(map(len, batches)) == 4


def test_the_order_is_that_of_the_seed() -> None:
    first, again, other = (
        bucketed_batches(LENGTHS, batch_size=4, epochs=2, seed=seed) for seed in (1, 1, 2)
    )

    assert first == again
    assert first != other


def test_batches_are_nearly_free_of_padding() -> None:
    def padding(batches: list[list[int]]) -> float:
        wide = sum(max(LENGTHS[at] for at in batch) * len(batch) for batch in batches)
        return 1 - sum(LENGTHS[at] for batch in batches for at in batch) / wide

    unsorted = [list(range(start, min(start + 4, 103))) for start in range(0, 103, 4)]

    assert padding(bucketed_batches(LENGTHS, batch_size=4, epochs=1, seed=1)) < 0.1
    assert padding(unsorted) > 0.3
