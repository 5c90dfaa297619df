"""Labels that contradict each other or the text, and raters who do not look or look differently."""

from __future__ import annotations

import random

from benchmarks.planting.corpus import PER_KIND, Planted, Row, clean_rows, sentences, vocabulary

_CLASSES = ("calm", "worried", "cross")
_ITEMS = 30


def plant_label_conflicts(seed: int = 0) -> Planted:
    """Plant the same reply to the same prompt with another rating."""
    rng = random.Random(seed)
    base = clean_rows(seed)
    planted = Planted(list(base))
    for number, host in enumerate(rng.sample(base, PER_KIND)):
        other = rng.choice([rating for rating in (1, 2, 3) if rating != host["rating"]])
        planted.add("label_conflicts", dict(host, id=f"conflict-{number}", rating=other))
    return planted


def plant_label_noise(seed: int = 0) -> Planted:
    """Plant wrong labels among texts whose words tell their class."""
    rng = random.Random(seed)
    words = vocabulary()
    rng.shuffle(words)
    shared = words[:200]
    own = {name: words[at : at + 60] for name, at in zip(_CLASSES, (200, 260, 320), strict=True)}
    planted = Planted([])
    for number in range(900):
        label = rng.choice(_CLASSES)
        said = [rng.choice(own[label] if rng.random() < 0.4 else shared) for _ in range(25)]
        row: Row = {"id": f"clean-{number}", "response": " ".join(said), "label": label}
        if number % 30 == 0:
            row.update(id=f"noise-{number}", label=rng.choice(sorted({*_CLASSES} - {label})))
            planted.add("label_noise", row)
        else:
            planted.rows.append(row)
    return planted


def _rated(rater: str, ratings: list[int], rng: random.Random, words: list[str]) -> list[Row]:
    return [
        {
            "id": f"{rater}-{number}",
            "dialogue_id": f"{rater}-{number}",
            "response": sentences(rng, words, count=2),
            "responder": rng.choice(["model-a", "model-b"]),
            "rater": rater,
            "rating": rating,
        }
        for number, rating in enumerate(ratings)
    ]


def plant_raters(seed: int = 0) -> Planted:
    """Plant three raters who give one rating to all, three kind and three harsh ones."""
    rng = random.Random(seed)
    words = vocabulary()
    planted = Planted([])
    for number in range(24):
        ratings = [rng.choice([1, 2, 3]) for _ in range(_ITEMS)]
        planted.rows += _rated(f"clean-{number}", ratings, rng, words)
    for number in range(3):
        for row in _rated(f"line-{number}", [number + 1] * _ITEMS, rng, words):
            planted.add("straight_lining", row)
        for name, scale in (("kind", [3, 3, 3, 3, 2]), ("harsh", [1, 1, 1, 1, 2])):
            ratings = [1, 3, *(rng.choice(scale) for _ in range(_ITEMS - 2))]
            for row in _rated(f"{name}-{number}", ratings, rng, words):
                planted.add("rater_severity", row)
    return planted
