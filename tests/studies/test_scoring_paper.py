from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import RowError
from studies.scoring.scoring_paper import SUBFACTORS, read_published


def written(path: Path, **changed: str) -> Path:
    cells = {
        "dialog-id": "hit:1_conv:2_type:human",
        **dict.fromkeys(SUBFACTORS, "4"),
        "rating": "2",
    }
    cells |= changed
    path.write_text(f"{','.join(cells)}\n{','.join(cells.values())}\n", encoding="utf-8")
    return path


def test_a_row_has_its_dialogue_responder_and_fifteen_scores(tmp_path: Path) -> None:
    (row,) = read_published(written(tmp_path / "scores.csv"), coded=False)

    assert (row.dialogue_id, row.responder, row.rating) == ("hit:1_conv:2", "human", 2)
    assert len(row.subfactors) == 15
    assert row.codes == {}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"rating": "4"}, "rating is '4'"),
        ({"empowering": "11"}, "empowering is '11'"),
        ({"empowering": ""}, "empowering is ''"),
        ({"empowering": "nan"}, "empowering is 'nan'"),
        ({"dialog-id": "hit:1_conv:2"}, "names no responder"),
    ],
)
def test_a_row_that_cannot_be_is_named(
    tmp_path: Path, changed: dict[str, str], problem: str
) -> None:
    with pytest.raises(RowError, match=f"row 1: .*{problem}"):
        list(read_published(written(tmp_path / "scores.csv", **changed), coded=False))
