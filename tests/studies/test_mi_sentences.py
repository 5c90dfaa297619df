from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import RowError
from pipeline.records import BehaviourCode
from studies.scoring.mi_sentences import SILVER, TO_ANNOMI, read_annomi, read_mi_strategy


def test_every_code_of_ours_has_a_place_in_annomi() -> None:
    assert set(TO_ANNOMI) == set(BehaviourCode)


def test_an_unknown_code_is_named_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    path.write_text(f"dialog_id,text,{SILVER}\n1,You should rest.,Scold\n", encoding="utf-8")

    with pytest.raises(RowError, match="row 1: code 'Scold' is not known"):
        list(read_mi_strategy(path))


def test_posts_without_a_code_are_passed_over(data_dir: Path) -> None:
    posts = list(read_mi_strategy(data_dir / "mi_strategy" / "CC_Augmented.csv"))

    assert len(posts) == 3074
    assert BehaviourCode.CONFRONT not in {post.code for post in posts}


def test_annomi_turns_have_the_codes_of_the_mapping(data_dir: Path) -> None:
    turns = list(read_annomi(data_dir / "annomi" / "annomi_single_annotator.csv"))

    assert {turn.code for turn in turns} == set(TO_ANNOMI.values())
