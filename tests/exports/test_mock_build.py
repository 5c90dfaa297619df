"""All 19 corpora of a build with the mock as its teacher are exported and load."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.exports.export import export_corpora
from pipeline.exports.formats import FORMATS
from pipeline.exports.tables import corpus_names
from pipeline.params import load_params
from pipeline.workspace import add_distillations
from tests.builds import build_corpora, distil_all, ingest_and_split, params_for, write_csv
from tests.exports.corpus import plain_card
from tests.mock_endpoint import program
from tests.sources.raw import study_row
from tests.teachers import role_at

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a build of twelve made dialogues, rated so that every corpus has rows."""
    folder = tmp_path_factory.mktemp("mock")
    rows = [study_row(one, **_ratings(one % 3 + 1)) for one in range(1, 13)]
    raw = write_csv(folder / "study.csv", rows)
    params_for("welivita2024", raw, folder)
    add_distillations(folder / "params.yaml")
    params = load_params(folder / "params.yaml")
    with pytest.MonkeyPatch.context() as patched, program() as endpoint:
        patched.setenv("DISTILLERY_HOME", str(folder / "home"))
        llm = params.llm.model_copy(update={"teacher": role_at(endpoint.base_url)})
        distil = params.distil.model_copy(update={"limit": None})
        params = params.model_copy(update={"llm": llm, "distil": distil})
        ingest_and_split(params, folder)
        distil_all(params, folder)
        build_corpora(params, folder)
    return folder


def _ratings(reference: int) -> dict[str, object]:
    """Return ratings by which the dialogue is for training, its reference rated as given."""
    teachers = ("chatgpt_empathy", "llama_empathy", "gemini_empathy", "mixtral_empathy")
    return {"rating_human": reference, **{f"rating_{one}": 3 for one in teachers}}


@pytest.mark.parametrize("name", FORMATS)
def test_all_nineteen_are_written(build: Path, tmp_path: Path, name: str) -> None:
    names = corpus_names(build)

    exported = export_corpora(build, names, tmp_path / "out", format_name=name, card=plain_card)

    assert len(names) == len(exported) == 19
    assert all({part.kind for part in one.parts} >= {"sft"} for one in exported)
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == names


@pytest.mark.parametrize("name", ["hf", "trl"])
def test_all_nineteen_load_with_datasets(build: Path, tmp_path: Path, name: str) -> None:
    from datasets import load_dataset

    exported = export_corpora(
        build, corpus_names(build), tmp_path / "out", format_name=name, card=plain_card
    )

    for one in exported:
        for part in one.parts:
            rows = load_dataset(
                str(tmp_path / "out" / one.corpus),
                part.config,
                split=part.split,
                cache_dir=str(tmp_path / "cache"),
            )
            assert len(rows) == part.rows
            assert rows[0]["id"]
