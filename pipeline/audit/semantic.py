"""Texts that mean the same in other words: neighbours by latent semantic analysis of their words.

A table that is handed an embedder is compared by its vectors instead.

Exact up to `semantic_exact_rows` distinct texts. Above that, texts are halved along their main
direction until blocks are small, and only neighbours within a block are seen; the share of all
neighbours that this finds is measured on a sample and reported as `coverage`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.audit.detector import Detector, SkippedError
from pipeline.audit.duplicates import KEEP_RULE, by_words, kept, repeatable
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import Detection, Figure
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text, text_finding
from pipeline.near_duplicates import Groups, jaccard, shingles
from pipeline.text.words import count_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK_ROWS = 4096
SAMPLE_ROWS = 400
# LSA alone calls two short texts on one topic the same: some of the very words must be shared,
# and more of them where one word makes the difference.
_MIN_WORD_COSINE, _MIN_WORD_COSINE_SHORT = 0.65, 0.7
_SHORT_WORDS = 9


def semantic_duplicates(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report replies that say what another reply says, though not in the same words."""
    distinct = [members[0] for members in by_words(repeatable(table)).values()]
    texts = [
        text
        for text in distinct
        if text.speaks == "listener" and count_words(text.text) >= settings.near_duplicate_min_words
    ]
    if len(texts) < 20:
        raise SkippedError("under 20 distinct replies of some length")
    said = [text.text for text in texts]
    least = settings.semantic_cosine
    if table.embed is None:
        words, vectors = embed(said, settings)
    else:
        words, vectors, least = None, table.embed(said), settings.embedding_cosine
    exact = len(texts) <= settings.semantic_exact_rows
    blocks = [_all(len(texts))] if exact else list(_halved(vectors))
    short = [count_words(text) < _SHORT_WORDS for text in said]
    pairs = [
        (left, right, cosine)
        for block in blocks
        for left, right, cosine in _neighbours(vectors, block, least)
        if words is None or _shares_words(words, left, right, short[left] or short[right])
    ]
    sets: dict[int, frozenset[str]] = {}
    fresh = []
    for left, right, cosine in pairs:
        for index in (left, right):
            if index not in sets:
                sets[index] = shingles(texts[index].text)
        if jaccard(sets[left], sets[right]) < settings.near_duplicate_jaccard:
            fresh.append((left, right, cosine))
    figures: dict[str, Figure] = {
        "vectors": "words" if table.embed is None else "handed",
        "method": "exact" if exact else "blocked",
        "blocks": len(blocks),
        "coverage": 1.0 if exact else _coverage(vectors, blocks, least, settings.seed),
        "keep_rule": KEEP_RULE,
    }
    return Detection(list(_findings(texts, fresh)), figures, len(texts))


def _findings(texts: Sequence[Text], pairs: list[tuple[int, int, float]]) -> Iterator[Finding]:
    groups = Groups(str(index) for left, right, _ in pairs for index in (left, right))
    nearest: dict[int, tuple[float, int]] = {}
    for left, right, cosine in pairs:
        groups.join(str(left), str(right))
        for one, other in ((left, right), (right, left)):
            nearest[one] = max(nearest.get(one, (0.0, -1)), (cosine, other))
    clusters: dict[str, list[int]] = defaultdict(list)
    for index in sorted(nearest):
        clusters[groups.find(str(index))].append(index)
    for number, members in enumerate(clusters.values(), start=1):
        keep = kept([texts[index] for index in members])
        for index in members:
            if texts[index] is keep:
                continue
            cosine, other = nearest[index]
            yield text_finding(
                texts[index],
                Severity.INFO,
                explanation=(
                    f"Means nearly the same as row {texts[other].row_id}"
                    f"{f' ({texts[other].responder})' if texts[other].responder else ''}: "
                    f"cosine {cosine:.2f}. Kept of the cluster: row {keep.row_id}."
                ),
                action=f"Look at both; keep one ({KEEP_RULE}).",
                score=cosine,
                others=tuple(dict.fromkeys((texts[other].row_id, keep.row_id))),
                cluster=f"semantic-{number}",
            )


def embed(texts: Sequence[str], settings: AuditSettings) -> tuple[Any, NDArray[np.float32]]:
    """Return (TF-IDF matrix, LSA vectors), rows of length 1; shapes (n, words) and (n, d)."""
    import numpy as np
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    # A word that comes once may be all that two replies differ in: none is left out as rare.
    words = TfidfVectorizer(sublinear_tf=True, dtype=np.float32, max_features=100_000)
    matrix = words.fit_transform(texts)
    size = min(settings.semantic_dimensions, min(matrix.shape) - 1)
    svd = TruncatedSVD(size, algorithm="randomized", n_iter=3, random_state=settings.seed)
    return matrix, normalize(svd.fit_transform(matrix)).astype(np.float32)


def _all(rows: int) -> NDArray[np.int64]:
    import numpy as np

    return np.arange(rows)


def _halved(vectors: NDArray[np.float32]) -> Iterator[NDArray[np.int64]]:
    """Yield blocks of rows: split at the median of the direction in which they differ most."""
    import numpy as np

    waiting = [_all(len(vectors))]
    while waiting:
        rows = waiting.pop()
        if len(rows) <= BLOCK_ROWS:
            yield rows
            continue
        here = vectors[rows] - vectors[rows].mean(axis=0)
        _, directions = np.linalg.eigh(here.T @ here)
        order = np.argsort(here @ directions[:, -1], kind="stable")
        middle = len(rows) // 2
        waiting += [rows[np.sort(order[:middle])], rows[np.sort(order[middle:])]]


def _shares_words(words: Any, left: int, right: int, short: bool) -> bool:
    least = _MIN_WORD_COSINE_SHORT if short else _MIN_WORD_COSINE
    return bool(words[left].multiply(words[right]).sum() >= least)


def _neighbours(
    vectors: NDArray[np.float32], rows: NDArray[np.int64], cosine: float
) -> Iterator[tuple[int, int, float]]:
    import numpy as np

    here = vectors[rows]
    for start in range(0, len(rows), 512):
        likeness = here[start : start + 512] @ here[start:].T
        for one, other in zip(*np.nonzero(likeness >= cosine), strict=True):
            if other <= one:
                continue
            left, right = int(rows[start + one]), int(rows[start + other])
            yield min(left, right), max(left, right), float(likeness[one, other])


def _coverage(
    vectors: NDArray[np.float32], blocks: Sequence[NDArray[np.int64]], least: float, seed: int
) -> float:
    """Return the share of the neighbours of a sample that lie in the same block."""
    import numpy as np

    block_of = np.empty(len(vectors), np.int64)
    for number, rows in enumerate(blocks):
        block_of[rows] = number
    sample = np.random.default_rng(seed).choice(len(vectors), SAMPLE_ROWS, replace=False)
    near = vectors[sample] @ vectors.T >= least
    near[np.arange(len(sample)), sample] = False
    same = block_of[sample][:, None] == block_of[None, :]
    found = int((near & same).sum())
    return round(found / max(1, int(near.sum())), 4)


DETECTORS = {
    "semantic_duplicates": Detector("duplicates", semantic_duplicates),
}
