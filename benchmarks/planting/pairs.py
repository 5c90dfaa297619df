"""Preference pairs that prefer nothing, the wrong side, or for the wrong reason."""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmarks.planting.corpus import PER_KIND, Planted, Row, exchanges, sentences, vocabulary

_BASELINES = ("longest", "shortest", "most_sorry", "most_questions")


def clean_pairs() -> list[Row]:
    """Return the pairs of the sample's replies in which one is rated higher."""
    rows: list[Row] = []
    for exchange in exchanges():
        for chosen in exchange["responses"]:
            for rejected in exchange["responses"]:
                if chosen["rating"] <= rejected["rating"]:
                    continue
                rows.append(
                    {
                        "id": f"clean-{len(rows):05d}",
                        "dialogue_id": exchange["id"],
                        "prompt": exchange["utterance"],
                        "rejected_prompt": exchange["utterance"],
                        "chosen": " ".join(chosen["sentences"]),
                        "rejected": " ".join(rejected["sentences"]),
                        "chosen_rating": chosen["rating"],
                        "rejected_rating": rejected["rating"],
                    }
                )
    return rows


def plant_pairs(seed: int = 0) -> Planted:
    """Plant ties, inversions, pairs twice and turned round, and sides of different prompts."""
    rng = random.Random(seed)
    base = clean_pairs()
    planted = Planted(list(base))
    for detector, change in (
        ("pair_ties", _tie),
        ("pair_inversions", _invert),
        ("pair_duplicates", _repeat),
        ("pair_prompts", _change_prompt),
    ):
        for number, host in enumerate(rng.sample(base, PER_KIND)):
            pair = dict(host, id=f"{detector}-{number}")
            if detector != "pair_duplicates":
                # A clean side that is in another pair too would make it a duplicate or its turn.
                pair["prompt"] = pair["rejected_prompt"] = f"{pair['prompt']} ({detector})"
            change(pair, number, rng)
            planted.add(detector, pair)
    return planted


def _tie(pair: Row, number: int, rng: random.Random) -> None:
    if number % 3 == 0:
        pair["rejected_rating"] = pair["chosen_rating"]
    elif number % 3 == 1:
        pair["rejected"] = f"{pair['chosen'].upper()} "
    else:
        words = pair["chosen"].split()
        pair["rejected"] = " ".join([*words[:-1], rng.choice(["so", "then", "again"]), words[-1]])


def _invert(pair: Row, number: int, rng: random.Random) -> None:
    pair["chosen_rating"], pair["rejected_rating"] = rng.choice([(1, 2), (1, 3), (2, 3)])


def _repeat(pair: Row, number: int, rng: random.Random) -> None:
    if number % 2:
        pair["chosen"], pair["rejected"] = pair["rejected"], pair["chosen"]
    else:
        pair["chosen"] = pair["chosen"].lower()


def _change_prompt(pair: Row, number: int, rng: random.Random) -> None:
    others = [one["utterance"] for one in exchanges() if one["utterance"] not in pair["prompt"]]
    pair["rejected_prompt"] = rng.choice(others)


def confounded_pairs(seed: int = 0) -> Iterator[Planted]:
    """Yield corpora in which a rule that reads nothing picks 3 of 4 chosen sides, and clean ones.

    The sides are random words and differ in nothing else.
    """
    rng = random.Random(seed)
    words = vocabulary()
    for baseline in (*_BASELINES, *_BASELINES, *[None] * 8):
        planted = Planted([], {"pair_confounds": {baseline} if baseline else set()})
        for number in range(200):
            sides = [sentences(rng, words, count=4, length=(9, 9)) for _ in range(2)]
            if baseline and rng.random() < 0.75:
                _favour(sides, baseline, rng)
            planted.rows.append(
                {
                    "id": f"pair-{number}",
                    "prompt": sentences(rng, words, count=1),
                    "chosen": sides[0],
                    "rejected": sides[1],
                }
            )
        yield planted


def _favour(sides: list[str], baseline: str, rng: random.Random) -> None:
    """Make the first side the one that `baseline` picks, and no other rule with it."""
    if baseline == "longest":
        sides[1] = sides[1].partition(". ")[2]
    elif baseline == "shortest":
        sides[0] = sides[0].partition(". ")[2]
    elif baseline == "most_sorry":
        sides[0] = f"Sorry {sides[0].partition(' ')[2]}"
    else:
        sides[0] = f"{sides[0][:-1]}?"
