from __future__ import annotations

from pathlib import Path

from docs.programs.reward import curve_table
from pipeline.storage import write_json
from tests.reporting.test_reward import ROWS


def test_the_table_shows_the_difference_with_its_interval(tmp_path: Path) -> None:
    write_json(tmp_path / "curve.json", ROWS)

    table = curve_table("made up", tmp_path)

    assert "| linear | 55.0 (50.0 to 60.0) | 60.0 (55.0 to 65.0) |" in table
    assert "| <prototype> | 58.0 (+3.0; +1.0 to +5.0) |  |" in table
