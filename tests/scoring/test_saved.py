from __future__ import annotations

import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from skops import io

from pipeline.errors import MissingFileError, TableError
from pipeline.features.table import Array, FeatureTable
from pipeline.scoring.classifiers import CLASSIFIERS
from pipeline.scoring.predict import score
from pipeline.scoring.rated import ScoringError
from pipeline.scoring.saved import FACTS, MODEL, describe, dumped, load, save
from pipeline.scoring.scorer import Scorer
from tests.scoring.test_scorer import RATINGS, TABLE, rated

MODELS = [name for name in CLASSIFIERS if name != "majority"]


class NoEmbedder:
    """An embedder that is never asked."""

    name = "none"

    def embed(self, texts: Sequence[str]) -> Array:
        raise NotImplementedError


def saved(folder: Path, model: str = "ordinal") -> Scorer:
    scorer = Scorer(model, seed=0).fit(TABLE, rated(RATINGS))
    facts = describe(scorer, TABLE, features="text", embedder="none", licence="CC0-1.0")
    save(folder, scorer, facts, None)
    return scorer


@pytest.mark.parametrize("model", MODELS)
def test_a_saved_scorer_gives_the_same_probabilities(tmp_path: Path, model: str) -> None:
    before = saved(tmp_path, model).predict_proba(TABLE)
    scorer, _, _ = load(tmp_path, NoEmbedder())

    np.testing.assert_allclose(scorer.predict_proba(TABLE), before)


def test_a_saved_model_is_sorted_and_knows_no_time() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    one, other = (TfidfVectorizer().fit(["so glad you came", "that is hard"]) for _ in range(2))
    other.vocabulary_ = dict(reversed(other.vocabulary_.items()))
    named = {"words": one, 2: "two", "rest": np.arange(3)}
    turned = {"rest": np.arange(3), 2: "two", "words": other}

    assert dumped(turned) == dumped(named)
    back = io.loads(dumped(turned), trusted=["numpy.dtype"])
    assert list(back) == [2, "rest", "words"]
    assert back["words"].vocabulary_ == one.vocabulary_
    with ZipFile(BytesIO(dumped(named))) as members:
        assert {member.date_time[0] for member in members.infolist()} == {1980}
        assert members.namelist() == sorted(members.namelist())


@pytest.mark.parametrize("model", MODELS)
def test_the_same_training_writes_the_same_bytes(tmp_path: Path, model: str) -> None:
    saved(tmp_path / "one", model)
    saved(tmp_path / "other", model)

    assert (tmp_path / "one" / MODEL).read_bytes() == (tmp_path / "other" / MODEL).read_bytes()


class Trap:
    """Writes a file when it is built."""

    def __init__(self, path: str) -> None:
        Path(path).write_text("sprung")


class TrapBuilder:
    """Asks whoever unpacks it to build a trap."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[type[Trap], tuple[str]]:
        return Trap, (self.path,)


def test_a_model_file_that_brings_its_own_types_is_refused_and_runs_nothing(
    tmp_path: Path,
) -> None:
    saved(tmp_path)
    sprung = tmp_path / "sprung"
    (tmp_path / MODEL).write_bytes(io.dumps(TrapBuilder(str(sprung))))

    with pytest.raises(TableError, match=r"types that are not loaded: .*Trap"):
        load(tmp_path, NoEmbedder())
    assert not sprung.exists()


def test_a_pickle_in_the_models_place_is_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / MODEL).write_bytes(b"\x80\x04N.")

    with pytest.raises(TableError, match="not a saved model"):
        load(tmp_path, NoEmbedder())


def test_a_scorer_of_another_feature_version_is_an_error(tmp_path: Path) -> None:
    saved(tmp_path)
    facts = json.loads((tmp_path / FACTS).read_text())
    (tmp_path / FACTS).write_text(json.dumps({**facts, "feature_version": "older"}))

    with pytest.raises(ScoringError, match="made with feature version older"):
        load(tmp_path, NoEmbedder())


@pytest.mark.parametrize("name", ["means", "least", "most", "temperature"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_facts_that_are_no_finite_numbers_are_refused(
    tmp_path: Path, name: str, value: float
) -> None:
    saved(tmp_path)
    facts = json.loads((tmp_path / FACTS).read_text())
    facts[name] = [value, *facts[name][1:]] if isinstance(facts[name], list) else value
    (tmp_path / FACTS).write_text(json.dumps(facts))

    with pytest.raises(TableError, match=name):
        load(tmp_path, NoEmbedder())


def test_a_folder_without_a_scorer_says_how_to_train_one(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="dvc repro train_scorer"):
        load(tmp_path, NoEmbedder())


def test_input_unlike_the_training_data_gets_no_label(tmp_path: Path) -> None:
    saved(tmp_path)
    scorer, facts, _ = load(tmp_path, NoEmbedder())
    strange = FeatureTable(("far", "near"), TABLE.names, np.array([[90.0, 0.0], [3.0, 0.0]]))

    far, near = score(scorer, facts, strange)

    assert far.value is None
    assert far.out_of_range == ("text_told",)
    assert near.value == 3


def test_the_first_reason_is_the_feature_that_tells(tmp_path: Path) -> None:
    saved(tmp_path)
    scorer, facts, _ = load(tmp_path, NoEmbedder())

    high, low = score(
        scorer, facts, FeatureTable(("a", "b"), TABLE.names, np.array([[3.0, 0.0], [1.0, 0.0]]))
    )

    assert high.reasons[0].feature == low.reasons[0].feature == "text_told"
    assert high.reasons[0].effect > 0 > low.reasons[0].effect


def test_the_same_scorer_is_saved_as_the_same_bytes(tmp_path: Path) -> None:
    saved(tmp_path / "one")
    saved(tmp_path / "two")

    assert (tmp_path / "one" / MODEL).read_bytes() == (tmp_path / "two" / MODEL).read_bytes()
