"""Cards tell what was measured, and each figure can be followed to its file."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from huggingface_hub import DatasetCard

from pipeline.params import load_params
from pipeline.reporting.cards import Card, corpus_card, corpus_licence
from pipeline.reporting.cards.croissant import croissant
from pipeline.reporting.facts import FactError, NotBuiltError
from pipeline.stages import describe_corpora
from pipeline.workspace import PROJECT
from tests.reporting.doors import change
from tests.reporting.tracing import check_traces, facts_of

NAME = "direct-listener_b"


def describe(folder: Path) -> None:
    params = load_params(PROJECT / "params.yaml")
    built = json.loads((folder / "reports/metrics/corpora.json").read_text())["corpora"]
    datasets = folder / "datasets"
    describe_corpora.run(
        {name: corpus for name, corpus in params.corpora.items() if name in built},
        params.responders,
        exchanges=datasets / "exchanges.parquet",
        responses=datasets / "responses",
        splits=datasets / "splits.parquet",
        sft=datasets / "sft",
        preferences=datasets / "preferences",
        out=folder / "reports/metrics/descriptions.json",
    )


@pytest.fixture(scope="module")
def folder(sample_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the sample's build with its descriptions; not to be changed."""
    copy = tmp_path_factory.mktemp("cards") / "build"
    shutil.copytree(sample_build, copy)
    describe(copy)
    return copy


@pytest.fixture
def changed(folder: Path, tmp_path: Path) -> Path:
    """Return a copy of the reports alone, to be changed."""
    shutil.copytree(folder / "reports", tmp_path / "reports")
    return tmp_path


@pytest.fixture(scope="module")
def card(folder: Path) -> Card:
    return corpus_card(NAME, facts_of(folder))


def test_the_hub_reads_the_card(card: Card) -> None:
    data = DatasetCard(card.text).data

    assert (data.license, data.pretty_name) == ("cc0-1.0", f"Empathy Distillery: {NAME}")
    assert (data.size_categories, data.task_categories) == (["n<1K"], ["text-generation"])
    assert "synthetic" in data.tags


def test_an_export_says_where_its_files_are(folder: Path) -> None:
    files = [{"config_name": "sft", "data_files": [{"split": "train", "path": "sft/*.parquet"}]}]

    data = DatasetCard(corpus_card(NAME, facts_of(folder), configs=files).text).data

    assert data.to_dict()["configs"] == files


def test_every_figure_of_a_card_is_what_its_file_says(card: Card, folder: Path) -> None:
    assert len(card.traces) > 100
    check_traces(card, folder)


def test_no_digit_of_a_card_is_from_elsewhere(card: Card) -> None:
    body = card.text.split("---\n", 2)[2]
    own = [line for line in body.splitlines() if "made by `" not in line]
    rest = re.sub(r"`datasets/\S+`|SHA-256", "", "\n".join(own))
    between = []
    for trace in card.traces:
        gap, _, rest = rest.partition(trace.text)
        between.append(gap)

    assert [gap for gap in (*between, rest) if re.search(r"\d", gap)] == []


def test_a_changed_metric_changes_the_card(card: Card, changed: Path) -> None:
    change(changed, "descriptions.json", "corpora", NAME, "tables", "sft", "rows", to=4321)

    assert "4,321 supervised examples" in corpus_card(NAME, facts_of(changed)).text
    assert "4,321" not in card.text


def test_without_a_licence_the_card_says_do_not_publish(changed: Path) -> None:
    change(changed, "corpora.json", "corpora", NAME, "strict", "licence", to="none stated")

    text = corpus_card(NAME, facts_of(changed)).text

    assert corpus_licence(NAME, facts_of(changed)) == "none stated"
    assert "**Do not publish.**" in text
    assert DatasetCard(text).data.license == "other"


def test_what_was_not_measured_is_said_with_the_command_that_measures_it(card: Card) -> None:
    assert "_Not measured yet:_ `dvc repro audit`" in card.text
    assert f"_Not measured yet:_ `dvc repro validate@{NAME}`" in card.text


def test_a_corpus_that_was_not_built_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(NotBuiltError, match="made by: dvc repro describe_corpora"):
        corpus_card(NAME, facts_of(tmp_path))


def test_a_file_of_another_shape_is_named_with_the_place(changed: Path) -> None:
    change(changed, "splits.json", "leaks", to=[])

    with pytest.raises(FactError, match=r"splits\.json#/leaks/collection: not there"):
        corpus_card(NAME, facts_of(changed))


def test_a_corpus_without_rows_has_a_card(changed: Path) -> None:
    empty = {"rows": 0, "bytes": 9, "sha256": "ab", "splits": {}, "emotions": {}, "sources": {}}
    empty |= {"licences": {}, "prompts": {}, "models": {}, "teacher_prompts": {}, "flags": {}}
    empty |= {"responders": {}, "words": {}}
    tables = {name: {**empty, "chosen_is_longer": 0} for name in ("sft", "preferences_strict")}
    tables["preferences_authors"] = tables["sft"]
    change(changed, "descriptions.json", "corpora", NAME, "tables", to=tables)
    change(changed, "corpora.json", "corpora", NAME, "strict", "licence", to=None)

    text = corpus_card(NAME, facts_of(changed)).text

    assert "**Nothing to publish:**" in text
    assert "longer one in none of the strict pairs" in text


def test_text_from_data_cannot_become_markup(changed: Path) -> None:
    change(changed, "ingest.json", "title", to="<img src=x> | [a](javascript:b) `c` *d*\n# e")

    text = corpus_card(NAME, facts_of(changed)).text

    assert r"| title | \<img src=x\> \| \[a\](javascript:b) \`c\` \*d\* # e |" in text


def test_mlcroissant_accepts_the_document_and_loads_the_rows(folder: Path) -> None:
    import mlcroissant

    cards = folder / "reports/cards"
    cards.mkdir(exist_ok=True)
    document = croissant(NAME, facts_of(folder))
    (cards / "croissant.json").write_text(json.dumps(document))

    dataset = mlcroissant.Dataset(cards / "croissant.json")

    assert [one.name for one in dataset.metadata.distribution] == [
        "sft.parquet",
        "preferences_strict.parquet",
        "preferences_authors.parquet",
    ]
    rows = list(dataset.records("preferences_strict"))
    described = json.loads((folder / "reports/metrics/descriptions.json").read_text())
    tables = described["corpora"][NAME]["tables"]
    assert len(rows) == tables["preferences_strict"]["rows"]
    assert rows[0]["preferences_strict/prompt"][0]["preferences_strict/prompt/role"] == b"user"


def test_card_and_croissant_say_what_is_kept_of_raters_and_why(card: Card, folder: Path) -> None:
    about = croissant(NAME, facts_of(folder))["rai:personalSensitiveInformation"]

    for text in (card.text, " ".join(about)):
        assert "keyed hash" in text
        assert "Toronto Empathy Questionnaire (rater_teq)" in text
        assert "takes out how leniently they rate" in text


def test_croissant_says_that_the_data_is_synthetic_and_what_it_is_for(folder: Path) -> None:
    document = croissant(NAME, facts_of(folder))

    assert document["rai:hasSyntheticData"] is True
    assert document["conformsTo"][0] == "http://mlcommons.org/croissant/1.1"
    assert document["license"] == "https://spdx.org/licenses/CC0-1.0.html"
    for key in ("dataBiases", "dataLimitations", "personalSensitiveInformation", "dataUseCases"):
        assert document[f"rai:{key}"]
