"""Writing all cards of a build."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipeline.reporting.cards.corpus import DESCRIPTIONS, corpus_card
from pipeline.reporting.cards.croissant import croissant
from pipeline.reporting.cards.models import model_cards
from pipeline.reporting.facts import Fact, Facts
from pipeline.storage import write_json


def write_cards(facts: Facts, out: Path) -> None:
    """Write `<corpus>.md` and `<corpus>.croissant.json` per corpus, `models/<model>.md` per model.

    The folder appears whole or stays as it was.
    """
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    (part / "models").mkdir(parents=True)
    described = facts.find(DESCRIPTIONS)
    for corpus in described["corpora"] if isinstance(described, Fact) else ():
        name = corpus.pointer[-1]
        (part / f"{name}.md").write_text(corpus_card(name, facts).text, encoding="utf-8")
        write_json(part / f"{name}.croissant.json", croissant(name, facts))
    for name, card in model_cards(facts).items():
        (part / "models" / f"{name}.md").write_text(card.text, encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    part.rename(out)
