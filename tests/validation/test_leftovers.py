"""What an earlier build left in the folders that stages read whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from pipeline.validation.leftovers import refuse_leftovers


def test_a_table_that_params_do_not_name_is_refused_with_what_removes_it(tmp_path: Path) -> None:
    for name in ("mine", "the sample's"):
        (tmp_path / f"{name}.parquet").touch()

    with pytest.raises(PipelineError, match="names no") as caught:
        refuse_leftovers({tmp_path: {"mine"}, tmp_path / "absent": ()})

    first, _, third = str(caught.value).splitlines()
    assert first.startswith(f"{tmp_path}/the sample's.parquet: params.yaml names no")
    assert "1 such table(s)" in first
    assert third.endswith("the sample'\"'\"'s.parquet'")


def test_the_tables_of_this_build_pass(tmp_path: Path) -> None:
    (tmp_path / "mine.parquet").touch()
    (tmp_path / ".gitignore").touch()

    refuse_leftovers({tmp_path: {"mine", "not built yet"}})
