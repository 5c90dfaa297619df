"""Texts that are there more than once, word for word or nearly so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from pipeline.audit.detector import Detector, SkippedError
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import Detection, Figures
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text, text_finding
from pipeline.near_duplicates import Groups, near_duplicates, normalise
from pipeline.text.words import count_words

KEEP_RULE = "kept: the best rated, of equals the first in the file"


def repeatable(table: AuditTable) -> list[Text]:
    """Return the texts among which a repetition means something.

    A prompt that several replies of one dialogue answer counts once, as does any where no column
    tells dialogues apart. One reply may rightly be in several preference pairs: those have a
    detector of their own.
    """
    if table.pairs:
        raise SkippedError("replies recur in pairs by design; see pair_duplicates")
    prompt = table.columns.get("prompt")
    seen: set[tuple[str | None, str]] = set()
    texts = []
    for text in table.texts:
        if text.column == prompt:
            if (text.dialogue_id, text.text) in seen:
                continue
            seen.add((text.dialogue_id, text.text))
        texts.append(text)
    return texts


def by_words(texts: Iterable[Text]) -> dict[tuple[str, str], list[Text]]:
    """Group texts by who speaks and by their normalised words; texts without words are left out."""
    groups: dict[tuple[str, str], list[Text]] = defaultdict(list)
    for text in texts:
        if words := normalise(text.text):
            groups[text.speaks, words].append(text)
    return groups


def kept(texts: Sequence[Text]) -> Text:
    """Return the text that KEEP_RULE keeps."""
    return max(texts, key=lambda text: text.rating if text.rating is not None else -1.0)


def exact_duplicates(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report each text whose words another text of the same side has already said."""
    texts = repeatable(table)
    findings: list[Finding] = []
    clusters = 0
    for (_, words), members in by_words(texts).items():
        if len(members) < 2:
            continue
        clusters += 1
        keep = kept(members)
        long = count_words(words) >= settings.near_duplicate_min_words
        findings += [
            text_finding(
                text,
                Severity.WARNING if long else Severity.INFO,
                explanation=f"The same words as {_where(keep)}; {len(members)} texts say them.",
                action=f"Drop it ({KEEP_RULE}).",
                score=1.0,
                others=(keep.row_id,),
                cluster=f"exact-{clusters}",
            )
            for text in members
            if text is not keep
        ]
    return Detection(findings, {"clusters": clusters, "keep_rule": KEEP_RULE}, len(texts))


def near_duplicate_texts(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report each text that shares most of its 4-character shingles with a kept one."""
    texts = repeatable(table)
    distinct = [members[0] for members in by_words(texts).values()]
    findings: list[Finding] = []
    clusters = 0
    for speaks in ("listener", "speaker"):
        long = [
            text
            for text in distinct
            if text.speaks == speaks and count_words(text.text) >= settings.near_duplicate_min_words
        ]
        pairs = near_duplicates(
            [text.text for text in long], threshold=settings.near_duplicate_jaccard
        )
        groups = Groups(str(index) for pair in pairs for index in (pair.left, pair.right))
        for pair in pairs:
            groups.join(str(pair.left), str(pair.right))
        members: dict[str, set[int]] = defaultdict(set)
        likeness: dict[int, dict[int, float]] = defaultdict(dict)
        for pair in pairs:
            members[groups.find(str(pair.left))] |= {pair.left, pair.right}
            likeness[pair.left][pair.right] = likeness[pair.right][pair.left] = pair.similarity
        for cluster in members.values():
            clusters += 1
            keep = kept([long[index] for index in sorted(cluster)])
            for index in sorted(cluster):
                if long[index] is keep:
                    continue
                nearest = max(likeness[index], key=lambda other: likeness[index][other])
                findings.append(
                    text_finding(
                        long[index],
                        Severity.WARNING,
                        explanation=(
                            f"Shares {likeness[index][nearest]:.0%} of its 4-character shingles "
                            f"(Jaccard) with {_where(long[nearest])}; kept: {_where(keep)}."
                        ),
                        action=f"Drop it ({KEEP_RULE}).",
                        score=likeness[index][nearest],
                        others=tuple(dict.fromkeys((long[nearest].row_id, keep.row_id))),
                        cluster=f"near-{clusters}",
                    )
                )
    figures: Figures = {
        "clusters": clusters,
        "keep_rule": KEEP_RULE,
        "distinct_texts": len(distinct),
    }
    return Detection(findings, figures, len(texts))


def _where(text: Text) -> str:
    return f"row {text.row_id}" + (f" ({text.responder})" if text.responder else "")


DETECTORS = {
    "exact_duplicates": Detector("duplicates", exact_duplicates),
    "near_duplicates": Detector("duplicates", near_duplicate_texts),
}
