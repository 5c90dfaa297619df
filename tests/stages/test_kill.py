"""A killed run pays again for nothing that was answered and committed."""

from __future__ import annotations

import pytest

from benchmarks.kills.teacher import measure


@pytest.mark.slow
def test_kills_at_random_moments_lose_no_answer_and_change_no_byte() -> None:
    unharmed, repaid = measure(rows=600, kills=3)

    assert unharmed.value == 3
    assert repaid.value <= 50
