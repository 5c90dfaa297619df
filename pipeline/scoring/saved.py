"""Saved scorers: a folder with skops files, facts in JSON and a model card. Nothing is pickled.

A skops file names the types that it is made of. Only scikit-learn's, numpy's and our own two
classifiers are accepted; a file that names anything else is refused before anything is built.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, Self
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
from pydantic import Field, FiniteFloat, model_validator

from pipeline.config import Section
from pipeline.errors import TableError
from pipeline.features.coder import BehaviourCoder
from pipeline.features.embeddings import Embedder
from pipeline.features.table import Array, FeatureTable
from pipeline.features.text import text_version
from pipeline.model_cards import SCORER, model_card
from pipeline.records import BehaviourCode
from pipeline.scoring.leniency import RaterModel
from pipeline.scoring.rated import CLASSES, ScoringError
from pipeline.scoring.scorer import Scorer
from pipeline.scoring.skops_file import DAMAGE, RETRAIN, SCHEMA, read_skops
from pipeline.storage import AtomicFile, read_json_as, write_json

MODEL, CODER, FACTS, CARD = "scorer.skops", "coder.skops", "scorer.json", "README.md"
# A value beyond the training range by this share of the range is unlike the training data.
MARGIN = 0.25


class ScorerFacts(Section):
    """What a saved scorer is, beside its fitted numbers."""

    features: str
    names: tuple[str, ...]
    model: str
    seed: int
    raters: RaterModel
    temperature: FiniteFloat
    classes: tuple[int, ...]
    feature_version: str
    embedder: str
    means: tuple[FiniteFloat, ...]
    least: tuple[FiniteFloat, ...]
    most: tuple[FiniteFloat, ...]
    trained_on: int
    coder_codes: tuple[BehaviourCode, ...] = ()
    coder_temperature: FiniteFloat = 1.0
    licence: str
    measures: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        if {len(self.names)} != {len(self.means), len(self.least), len(self.most)}:
            raise ValueError("names, means, least and most are not of the same features")
        if not set(self.classes) <= set(CLASSES):
            raise ValueError(f"classes {self.classes} are not among {CLASSES}")
        return self


def describe(
    scorer: Scorer, table: FeatureTable, *, features: str, embedder: str, licence: str
) -> ScorerFacts:
    """Return the facts of a scorer that was fitted on `table`."""
    return ScorerFacts(
        features=features,
        names=scorer.names_,
        model=scorer.model,
        seed=scorer.seed,
        raters=scorer.raters,
        temperature=scorer.temperature_,
        classes=scorer.classes_,
        feature_version=text_version(),
        embedder=embedder,
        means=_column(np.nanmean(table.values, axis=0)),
        least=_column(np.nanmin(table.values, axis=0)),
        most=_column(np.nanmax(table.values, axis=0)),
        trained_on=len(table.ids),
        licence=licence,
    )


def _column(values: Array) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def save(folder: Path, scorer: Scorer, facts: ScorerFacts, coder: BehaviourCoder | None) -> None:
    """Write a scorer, the coder that its features need, and their card."""
    with AtomicFile(folder / MODEL) as part:
        part.write_bytes(dumped(scorer.estimator_))
    if coder is not None:
        # A memory address, by which scikit-learn warns once per list of stop words.
        vars(coder.words_).pop("_stop_words_id", None)
        with AtomicFile(folder / CODER) as part:
            part.write_bytes(dumped({"words": coder.words_, "model": coder.model_}))
        facts = facts.model_copy(
            update={"coder_codes": coder.codes_, "coder_temperature": coder.temperature_}
        )
    write_json(folder / FACTS, facts.model_dump(mode="json"))
    with AtomicFile(folder / CARD) as part:
        part.write_text(_card(facts), encoding="utf-8")


def dumped(value: object) -> bytes:
    """Return `value` as a skops file in its one canonical form: sorted, without times.

    skops numbers objects and files by memory address, keeps dicts in the order in which they were
    filled and stamps each file with the time. Here dicts are sorted and all is numbered as it then
    comes, so that a model that was not changed is seen as unchanged.
    """
    from skops import io

    numbers: dict[str, int] = {}
    with ZipFile(BytesIO(io.dumps(value))) as written, BytesIO() as stream:
        schema = _renumbered(_sorted(json.loads(written.read(SCHEMA))), numbers)
        members = {_renamed(name, numbers): written.read(name) for name in written.namelist()}
        members[SCHEMA] = json.dumps(schema).encode()
        with ZipFile(stream, "w") as renamed:
            for name in sorted(members):
                renamed.writestr(ZipInfo(name), members[name], ZIP_DEFLATED)
        return stream.getvalue()


def _sorted(node: Any) -> Any:
    """Return a schema whose plain dicts are in the order of their keys."""
    if isinstance(node, list):
        return [_sorted(one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {key: _sorted(value) for key, value in node.items()}
    if (found.get("__loader__"), found.get("__class__")) == ("DictNode", "dict"):
        types = found["key_types"]["content"]
        rows = sorted(
            zip(found["content"].items(), types, strict=True), key=lambda row: str(row[0][0])
        )
        found["content"] = dict(item for item, _ in rows)
        found["key_types"]["content"] = [one for _, one in rows]
    return found


def _renumbered(node: Any, numbers: dict[str, int]) -> Any:
    if isinstance(node, list):
        return [_renumbered(one, numbers) for one in node]
    if not isinstance(node, dict):
        return node
    renumbered = {key: _renumbered(value, numbers) for key, value in node.items()}
    if "__id__" in node:
        renumbered["__id__"] = numbers.setdefault(str(node["__id__"]), len(numbers) + 1)
    if "file" in node and isinstance(node["file"], str):
        renumbered["file"] = _renamed(node["file"], numbers)
    return renumbered


def _renamed(name: str, numbers: dict[str, int]) -> str:
    stem, dot, ending = name.partition(".")
    if not stem.isdigit():
        return name
    return f"{numbers.setdefault(stem, len(numbers) + 1)}{dot}{ending}"


def load(folder: Path, embedder: Embedder) -> tuple[Scorer, ScorerFacts, BehaviourCoder | None]:
    """Read what `save` wrote, without running anything that the files bring along.

    Raises ScoringError for another feature version and TableError for a file that names types
    beyond the known ones.
    """
    facts = read_json_as(folder / FACTS, ScorerFacts, hint=RETRAIN)
    for what, saved, now in (
        ("feature version", facts.feature_version, text_version()),
        ("embedder", facts.embedder, embedder.name),
    ):
        if saved != now:
            raise ScoringError(f"{folder}: made with {what} {saved}, this is {now}\n{RETRAIN}")
    scorer = Scorer(facts.model, seed=facts.seed, raters=facts.raters).restore(
        read_skops(folder / MODEL),
        names=facts.names,
        classes=facts.classes,
        temperature=facts.temperature,
    )
    _try_out(
        folder / MODEL,
        lambda: scorer.predict_values(np.zeros((1, len(facts.names)))),
        len(facts.classes),
    )
    if not facts.coder_codes:
        return scorer, facts, None
    coder = BehaviourCoder(embedder, seed=facts.seed)
    parts = read_skops(folder / CODER)

    def code_one() -> Array:
        words, model = parts["words"], parts["model"]
        codes, temperature = facts.coder_codes, facts.coder_temperature
        coder.restore(words, model, codes=codes, temperature=temperature)
        return coder.predict_proba(["I hear you."])

    _try_out(folder / CODER, code_one, len(facts.coder_codes))
    return scorer, facts, coder


def _try_out(path: Path, predict: Callable[[], Array], classes: int) -> None:
    """Raise TableError unless a model gives one row of probabilities, one per class."""
    try:
        found = predict()
    except DAMAGE as error:
        problem = f"not a model of this kind ({type(error).__name__}: {str(error)[:200]})"
        raise TableError(path, problem, hint=RETRAIN) from error
    if found.shape != (1, classes) or not np.isfinite(found).all():
        raise TableError(path, f"it does not tell {classes} classes apart", hint=RETRAIN)


def _card(facts: ScorerFacts) -> str:
    measured = {name: value for name, value in facts.measures.items() if value is not None}
    return model_card(
        SCORER,
        facts.licence,
        {
            "features": f"{facts.features} ({len(facts.names)})",
            "model": f"{facts.model}, scaled, calibrated by temperature {facts.temperature:.3g}",
            "rater leniency taken out in training": facts.raters,
            "trained on": f"{facts.trained_on} rated responses",
            "classes seen": ", ".join(map(str, facts.classes)),
            "embeddings": facts.embedder,
            "feature version": facts.feature_version,
            **{f"{name}, held-out dialogues": value for name, value in measured.items()},
        },
    )
