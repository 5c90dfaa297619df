"""What a test side could have learned from the training side, or from another file."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from difflib import SequenceMatcher

from pipeline.audit.detector import Detector, SkippedError
from pipeline.audit.duplicates import by_words
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import Detection
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text, text_finding
from pipeline.near_duplicates import near_duplicates

_HIT = re.compile(r"^(hit:\d+)_")
_ACTION = "Put both on one side of the split, or drop one."


def cross_split(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report texts that are, word for word or nearly, in two splits."""
    if len(_splits(table)) < 2:
        raise SkippedError("no column says which split a row is in, or all are in one")
    # Pairs repeat a prompt and a reply by design: each distinct text of a split counts once.
    texts = list({(one.split, one.speaks, one.text): one for one in table.texts}.values())
    texts = [text for text in texts if text.split and _long(text, settings)]
    findings: list[Finding] = []
    for left, right, similarity in _matches(texts, settings):
        if left.split == right.split:
            continue
        span = common_span(right.text, left.text)
        findings.append(
            text_finding(
                right,
                Severity.CRITICAL if similarity == 1 else Severity.WARNING,
                explanation=(
                    f"Row {left.row_id} of split {left.split} says the same "
                    f"({similarity:.0%} of the shingles)."
                ),
                action=_ACTION,
                span=span,
                score=similarity,
                others=(left.row_id,),
                cluster=f"leak-{len(findings) + 1}",
            )
        )
    return Detection(findings, {"splits": sorted(_splits(table))}, len(texts))


def group_leakage(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report dialogues, collection tasks and sessions that have rows in two splits."""
    if len(_splits(table)) < 2:
        raise SkippedError("no column says which split a row is in, or all are in one")
    groups: dict[str, list[Text]] = defaultdict(list)
    for text in table.texts:
        if text.dialogue_id:
            groups[f"dialogue {text.dialogue_id}"].append(text)
            if hit := _HIT.match(text.dialogue_id):
                groups[f"task {hit.group(1)}"].append(text)
        if text.group:
            groups[f"group {text.group}"].append(text)
    findings: list[Finding] = []
    leaking = 0
    for name, members in groups.items():
        sides = Counter(text.split for text in members if text.split)
        if len(sides) < 2:
            continue
        leaking += 1
        most = sides.most_common(1)[0][0]
        home = next(text for text in members if text.split == most)
        away = {text.row_id: text for text in members if text.split not in (None, home.split)}
        findings += [
            text_finding(
                text,
                Severity.CRITICAL if name.startswith("dialogue") else Severity.WARNING,
                explanation=f"{name} is in split {home.split} and in split {text.split}.",
                action="Split by dialogue and task, never by row.",
                others=(home.row_id,),
                cluster=name,
            )
            for text in away.values()
        ]
    if not groups:
        raise SkippedError("no column says which dialogue, task or session a row is from")
    return Detection(findings, {"groups": len(groups), "leaking": leaking}, len(table.texts))


def leakage_against(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report texts that another file has too."""
    if not table.against:
        raise SkippedError("no other file was given (--against)")
    mine = [text for text in table.texts if _long(text, settings)]
    theirs = [text for text in table.against if _long(text, settings)]
    ours = set(map(id, mine))
    findings: list[Finding] = []
    for left, right, similarity in _matches([*mine, *theirs], settings, one_side=True):
        if (id(left) in ours) == (id(right) in ours):
            continue
        text, other = (left, right) if id(left) in ours else (right, left)
        findings.append(
            text_finding(
                text,
                Severity.CRITICAL if similarity == 1 else Severity.WARNING,
                explanation=(
                    f"{table.against_name} has it in row {other.row_id} "
                    f"({similarity:.0%} of the shingles)."
                ),
                action="Take it out of one of the files before one is tested on the other.",
                span=common_span(text.text, other.text),
                score=similarity,
                others=(f"{table.against_name}:{other.row_id}",),
            )
        )
    return Detection(findings, {"against_texts": len(table.against)}, len(mine))


def _splits(table: AuditTable) -> set[str]:
    return {text.split for text in table.texts if text.split}


def _long(text: Text, settings: AuditSettings) -> bool:
    return len(text.text.split()) >= settings.leak_min_words


def _matches(
    texts: Sequence[Text], settings: AuditSettings, *, one_side: bool = False
) -> list[tuple[Text, Text, float]]:
    """Return pairs of texts that say the same: all of a kind against its first per split."""
    found: list[tuple[Text, Text, float]] = []
    words: dict[str, list[Text]] = defaultdict(list)
    for (speaks, said), members in by_words(texts).items():
        words[said if one_side else f"{speaks} {said}"] += members
    for members in words.values():
        first = members[0]
        found += [(first, other, 1.0) for other in members[1:]]
    distinct = [members[0] for members in words.values()]
    pairs = near_duplicates(
        [text.text for text in distinct], threshold=settings.near_duplicate_jaccard
    )
    for pair in pairs:
        left, right = distinct[pair.left], distinct[pair.right]
        if one_side or left.speaks == right.speaks:
            found.append((left, right, pair.similarity))
    return found


def common_span(text: str, other: str) -> tuple[int, int]:
    """Return where the longest run of `text` that `other` has too begins and ends."""
    matcher = SequenceMatcher(None, text[:1000], other[:1000], autojunk=False)
    match = matcher.find_longest_match()
    return match.a, match.a + match.size


DETECTORS = {
    "cross_split_leakage": Detector("duplicates", cross_split),
    "group_leakage": Detector("duplicates", group_leakage),
    "leakage_against": Detector("duplicates", leakage_against),
}
