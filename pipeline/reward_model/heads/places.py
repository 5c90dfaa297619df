"""Where prototypes stand: k-means++ places, and more of them where texts are far from all.

The rule of addition is that of infinite mixture prototypes (Allen et al. 2019), with the squared
distance that it is derived for: a text is a new prototype if its nearest is farther than

    lambda = 2 sigma log(1 / alpha) + dim sigma log(1 + rho / sigma)

with sigma the mean variance of texts around their prototype and rho that of the prototypes, both
per dimension. In many dimensions the rule would take nearly every text: the cap is what decides.
"""

from __future__ import annotations

import numpy as np

from pipeline.features.table import Array

ALPHA = 0.1
ROUNDS = 30
# k-means looks at no more texts than this: more of them move no centre of a few.
MOST_TEXTS = 3000
_TINY = 1e-12


def find_places(
    pool: Array, sides: tuple[Array, Array] | None, *, count: int, added: int, seed: int
) -> tuple[Array, float]:
    """Return places (prototypes, dim) and the width tau.

    With `sides` half of the first places comes from each side, else all come from `pool`. A place
    that loses all its texts is dropped. The width is the median squared distance of a text to its
    place.
    """
    random = np.random.default_rng(seed)
    texts = pool
    if len(texts) > MOST_TEXTS:
        texts = pool[np.sort(random.choice(len(pool), MOST_TEXTS, replace=False))]
    if sides is None:
        places = lloyd(texts, _spread(texts, count, random))
    else:
        half = max(count // 2, 1)
        places = np.vstack([lloyd(side, _spread(side, half, random)) for side in sides])
    if added:
        places = with_added(texts, places, added)
    nearest = squared_distances(texts, places).min(axis=1)
    return places, max(float(np.median(nearest)), _TINY)


def lloyd(texts: Array, places: Array) -> Array:
    """Move each place to the mean of the texts nearest to it, until none changes place."""
    before = None
    for _ in range(ROUNDS):
        nearest = squared_distances(texts, places).argmin(axis=1)
        if before is not None and (nearest == before).all():
            break
        kept = np.unique(nearest)
        member = (nearest[:, None] == kept).astype(np.float64)
        places = (member.T @ texts) / member.sum(axis=0)[:, None]
        before = np.searchsorted(kept, nearest)
    return places


def _spread(texts: Array, count: int, random: np.random.Generator) -> Array:
    """Return up to `count` different texts far from one another, as k-means++ draws them."""
    taken = [int(random.integers(len(texts)))]
    nearest = squared_distances(texts, texts[taken])[:, 0]
    while len(taken) < count and nearest.max() > _TINY:
        taken.append(int(random.choice(len(texts), p=nearest / nearest.sum())))
        nearest = np.minimum(nearest, squared_distances(texts, texts[taken[-1:]])[:, 0])
    return texts[taken]


def with_added(texts: Array, places: Array, most: int) -> Array:
    """Return `places` with up to `most` added, the farthest text first."""
    count = len(places)
    for _ in range(most):
        nearest = squared_distances(texts, places).min(axis=1)
        within = max(float(nearest.mean()) / texts.shape[1], _TINY)
        between = float(places.var(axis=0).mean())
        limit = 2 * within * np.log(1 / ALPHA) + texts.shape[1] * within * np.log(
            1 + between / within
        )
        if nearest.max() <= limit:
            break
        places = np.vstack([places, texts[nearest.argmax()]])
    return lloyd(texts, places) if len(places) > count else places


def squared_distances(texts: Array, places: Array) -> Array:
    """Return the squared Euclidean distances (texts, places)."""
    sizes = np.einsum("ij,ij->i", texts, texts)[:, None] + np.einsum("ij,ij->i", places, places)
    return np.asarray(np.maximum(sizes - 2 * texts @ places.T, 0))
