"""What people see beside two replies: what was said, never how a teacher was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.annotation.items import pair_items
from pipeline.corpora.conversation import prompt_messages
from pipeline.errors import PipelineError
from pipeline.records import Exchange, PreferencePair
from pipeline.storage import write_table
from tests.examples import LATE_TRAIN, LOST_JOB, PROMPT, pair

PAIR = pair("So sorry.", "Cheer up.").model_copy(
    update={"exchange_id": LATE_TRAIN.id, "prompt": prompt_messages(LATE_TRAIN, PROMPT)}
)


def _files(folder: Path, *exchanges: Exchange) -> tuple[Path, Path]:
    write_table(folder / "pairs.parquet", PreferencePair, [PAIR])
    write_table(folder / "exchanges.parquet", Exchange, exchanges)
    return folder / "pairs.parquet", folder / "exchanges.parquet"


def test_people_see_the_turns_of_a_pair_and_not_the_teachers_instructions(tmp_path: Path) -> None:
    (item,) = pair_items(*_files(tmp_path, LOST_JOB, LATE_TRAIN), limit=5)

    assert [(turn["role"], turn["content"]) for turn in item.fields["chat"]] == [
        ("situation", LATE_TRAIN.situation),
        ("speaker", "The train did it again."),
        ("listener", "Oh no, today of all days?"),
        ("speaker", LATE_TRAIN.utterance),
    ]


def test_a_pair_whose_exchange_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"exchange exchange-late-train is not in .*exchanges"):
        pair_items(*_files(tmp_path, LOST_JOB), limit=5)
