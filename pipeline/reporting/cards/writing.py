"""Writing all cards of a build."""

from __future__ import annotations

from pathlib import Path

from pipeline.reporting.cards.corpus import DESCRIPTIONS, corpus_card
from pipeline.reporting.cards.croissant import croissant
from pipeline.reporting.cards.models import build_model_cards
from pipeline.reporting.facts import Fact, Facts
from pipeline.storage import AtomicFolder, write_json


def write_cards(facts: Facts, out: Path) -> None:
    """Write `<corpus>.md` and `<corpus>.croissant.json` per corpus, `models/<model>.md` per model.

    The folder appears whole or stays as it was.
    """
    with AtomicFolder(out, what="cards", known=_are_cards) as folder:
        (folder / "models").mkdir()
        described = facts.find(DESCRIPTIONS)
        for corpus in described["corpora"] if isinstance(described, Fact) else ():
            name = corpus.pointer[-1]
            (folder / f"{name}.md").write_text(corpus_card(name, facts).text, encoding="utf-8")
            write_json(folder / f"{name}.croissant.json", croissant(name, facts))
        for name, card in build_model_cards(facts).items():
            (folder / "models" / f"{name}.md").write_text(card.text, encoding="utf-8")


def _are_cards(folder: Path) -> bool:
    """Return whether all in `folder` is what `write_cards` writes; it had no marker at first."""
    croissants = {path.name for path in folder.glob("*.croissant.json")}
    cards = {f"{name.removesuffix('.croissant.json')}.md" for name in croissants}
    models = {f"models/{path.name}" for path in folder.glob("models/*.md")} if cards else set()
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    return found == {"models", *croissants, *cards, *models}
