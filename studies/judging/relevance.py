"""Does a reply answer what it is given to? Learnt from replies that were moved to other dialogues.

Every responder's replies are moved alike, so who wrote a reply tells nothing. Moved replies alone
would teach that the nearest reply is the best, and nothing is nearer than the speaker's own words:
these are shown as replies that miss, too.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from pipeline.features.embeddings import Embedder
from pipeline.features.table import Array
from pipeline.records import Exchange, Response, content_id

Pairs = Sequence[tuple[Exchange, Response]]
Reading = Literal["cosines", "shared words"]

ECHO = "echo"
COPIES = 3
ECHO_SHARE = 0.3
_WORD = re.compile(r"[a-z']+")
_ENDINGS = ("'s", "ing", "edly", "ed", "ies", "es", "s", "ly")
_SHORTEST_STEM = 3


def misplaced(pairs: Pairs, *, copies: int, seed: int) -> list[tuple[Exchange, Response]]:
    """Return every reply `copies` times, each time to another dialogue of `pairs`."""
    answers: dict[str, list[tuple[Exchange, Response]]] = {}
    for exchange, response in pairs:
        answers.setdefault(exchange.id, []).append((exchange, response))
    order = list(answers.values())
    random.Random(seed).shuffle(order)  # noqa: S311  an order is no secret
    return [
        (group[0][0], moved(response, group[0][0]))
        for step in range(1, copies + 1)
        for group, other in zip(order, order[step:] + order[:step], strict=True)
        for _, response in other
    ]


def moved(response: Response, exchange: Exchange) -> Response:
    """Return the reply as if it had been given to `exchange`; nobody rated it there."""
    return response.model_copy(
        update={
            "id": content_id("response", exchange.id, response.id),
            "exchange_id": exchange.id,
            "rating": None,
            "rater": None,
        }
    )


def echoes(pairs: Pairs) -> list[tuple[Exchange, Response]]:
    """Return the speaker's own utterance as the reply to each exchange, once."""
    first = {exchange.id: (exchange, response) for exchange, response in pairs}
    return [
        (
            exchange,
            moved(response, exchange).model_copy(
                update={
                    "id": content_id("response", exchange.id, ECHO),
                    "text": exchange.utterance,
                    "responder": ECHO,
                }
            ),
        )
        for exchange, response in first.values()
    ]


def learn_relevance(
    reading: Reading, pairs: Pairs, embedder: Embedder, *, belonging: float = 0.5, seed: int
) -> Callable[[Pairs], Array]:
    """Return what gives each reply the probability that it answers its exchange.

    `cosines` compares embeddings, `shared words` counts words (rare ones more) and asks nothing of
    `embedder`. Learnt from `pairs`, the same moved, and echoes: half of those belong, but
    `belonging` of the replies to be judged.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model: Any
    if reading == "cosines":
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        last = "logisticregression"
    else:
        model = make_pipeline(
            HistGradientBoostingClassifier(
                max_iter=150,
                learning_rate=0.05,
                max_leaf_nodes=8,
                min_samples_leaf=40,
                l2_regularization=5,
                random_state=seed,
            )
        )
        last = "histgradientboostingclassifier"
    read = cosines(embedder) if reading == "cosines" else shared_words(pairs)
    parts = [pairs, misplaced(pairs, copies=COPIES, seed=seed), echoes(pairs)]
    shares = [1.0, 1 - ECHO_SHARE, ECHO_SHARE]
    weight = [np.full(len(one), share / len(one)) for one, share in zip(parts, shares, strict=True)]
    belongs = np.concatenate([[at == 0] * len(one) for at, one in enumerate(parts)])
    weights = np.concatenate(weight) * len(pairs)
    model.fit(
        np.vstack([read(one) for one in parts]), belongs, **{f"{last}__sample_weight": weights}
    )

    def chances(asked: Pairs) -> Array:
        found = model.predict_proba(read(asked))[:, 1]
        ahead, behind = found * belonging, (1 - found) * (1 - belonging)
        return np.asarray(ahead / (ahead + behind))

    return chances


def cosines(embedder: Embedder) -> Callable[[Pairs], Array]:
    """Return how near a reply is to utterance and situation; the squares let an echo be too near.

    The result is an array (pairs, 5).
    """

    def read(pairs: Pairs) -> Array:
        reply = embedder.embed([response.text for _, response in pairs])
        said = embedder.embed([exchange.utterance for exchange, _ in pairs])
        known = embedder.embed([exchange.situation for exchange, _ in pairs])
        one, other = (said * reply).sum(axis=1), (known * reply).sum(axis=1)
        return np.column_stack([one, other, one**2, other**2, one * other])

    return read


def shared_words(pairs: Pairs) -> Callable[[Pairs], Array]:
    """Return what a reply has of the words of utterance and situation, weighed by their rarity.

    How rare a word is, is counted in `pairs`. The result is an array (pairs, 8).
    """
    seen = Counter[str]()
    texts = [set(_stems(response.text)) for _, response in pairs]
    asked = {exchange.id: exchange for exchange, _ in pairs}.values()
    texts += [set(_stems(f"{one.utterance} {one.situation}")) for one in asked]
    for words in texts:
        seen.update(words)

    def rarity(words: set[str]) -> float:
        return float(sum(np.log((len(texts) + 1) / (seen[word] + 1)) for word in words))

    def read_one(exchange: Exchange, response: Response) -> list[float]:
        reply, said = _stems(response.text), _stems(exchange.utterance)
        known = _stems(exchange.situation)
        own, both = set(reply), {*said, *known}
        whole = rarity(own) + 1e-9
        return [
            rarity(own & set(said)) / whole,
            rarity(own & set(known)) / whole,
            rarity(own & both) / whole,
            rarity(own & both),
            max((rarity({word}) for word in own & both), default=0.0),
            rarity(own & both) / (rarity(both) + 1e-9),
            *(_copied(reply, (said, known), size) for size in (2, 3)),
        ]

    return lambda found: np.array([read_one(*one) for one in found]).reshape(len(found), 8)


def _copied(reply: Sequence[str], others: Sequence[Sequence[str]], size: int) -> float:
    """Return the share of the reply's runs of `size` words that stand in one of `others`."""
    runs = _runs(reply, size)
    return len(runs & set().union(*(_runs(one, size) for one in others))) / max(1, len(runs))


def _runs(words: Sequence[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + size]) for at in range(len(words) - size + 1)}


def _stems(text: str) -> list[str]:
    return [_stem(word) for word in _WORD.findall(text.lower().replace("’", "'"))]


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word
