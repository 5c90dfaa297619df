"""What labels contradict: each other, the text, the rules of rating."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from pipeline.audit.detector import Detector, SkippedError
from pipeline.audit.duplicates import by_words
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import Detection, Figure
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text, text_finding
from pipeline.near_duplicates import normalise

FOLDS = 5


def labelled(table: AuditTable) -> list[Text]:
    """Return the texts that have a label, or skip the detector."""
    texts = [text for text in table.texts if text.label is not None]
    if not texts:
        raise SkippedError("no label column")
    return texts


def label_conflicts(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report texts that are word for word the same, answer the same, and differ in label."""
    texts = labelled(table)
    findings: list[Finding] = []
    clusters = 0
    prompted = any(text.prompt for text in texts)
    for members in by_words(texts).values():
        same: dict[str, list[Text]] = defaultdict(list)
        for text in members:
            same[normalise(text.heard)].append(text)
        # Without a prompt in common a reply may rightly be good here and bad there.
        unknown = same.pop("", [])
        groups = list(same.values()) if prompted else [unknown]
        for group in groups:
            labels = Counter(text.label for text in group)
            if len(labels) < 2:
                continue
            clusters += 1
            common = labels.most_common(1)[0][0]
            witness = next(text for text in group if text.label == common)
            findings += [
                text_finding(
                    text,
                    Severity.WARNING,
                    explanation=(
                        f"Labelled {text.label!r}; row {witness.row_id} has the same words and "
                        f"label {common!r}."
                    ),
                    action="Have both labelled again; until then leave both out of training.",
                    others=(witness.row_id,),
                    cluster=f"label-{clusters}",
                )
                for text in group
                if text.label != common
            ]
    return Detection(findings, {"clusters": clusters}, len(texts))


def label_noise(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report labels that cleanlab calls wrong, by probabilities from folds without that dialogue.

    Probabilities that every text of the table brings along are taken as they are. Skipped where the
    text predicts the label hardly better than chance: there a disagreement says nothing about it.
    """
    texts = [text for text in labelled(table) if _says_enough(text, settings)]
    counts = Counter(text.label for text in texts)
    names = sorted(str(label) for label, rows in counts.items() if rows >= 2 * FOLDS)
    texts = [text for text in texts if text.label in names]
    if not 2 <= len(names) <= 40 or len(texts) < 100:
        raise SkippedError("needs 2 to 40 classes and 100 labelled texts")
    import numpy as np
    from cleanlab.rank import get_self_confidence_for_each_label

    labels = np.array([names.index(str(text.label)) for text in texts])
    handed = _handed(texts, names)
    probabilities = out_of_fold(texts, labels, settings) if handed is None else handed
    guessed = probabilities.argmax(axis=1)
    recall = float(np.mean([(guessed[labels == one] == one).mean() for one in range(len(names))]))
    gain = recall - 1 / len(names)
    source = "out of fold" if handed is None else "as the file has it"
    figures: dict[str, Figure] = {
        "classes": len(names),
        "probabilities": source,
        "balanced_accuracy": round(recall, 4),
        "gain_over_chance": round(gain, 4),
    }
    if gain < settings.label_noise_min_gain:
        raise SkippedError(
            f"the text predicts the label with balanced accuracy {recall:.2f}, "
            f"chance is {1 / len(names):.2f}: too little to doubt a label by"
        )
    confidence = get_self_confidence_for_each_label(labels, probabilities)
    wrong = _label_issues(labels, probabilities)
    sure = probabilities.max(axis=1) >= settings.label_noise_confidence
    order = sorted(np.flatnonzero(wrong & sure).tolist(), key=lambda row: float(confidence[row]))
    figures["suspected"] = int(wrong.sum())
    findings = [
        text_finding(
            texts[row],
            Severity.WARNING,
            explanation=(
                f"Labelled {texts[row].label!r}, reads as {names[guessed[row]]!r} "
                f"(p = {probabilities[row].max():.2f}, {source})."
            ),
            action="Have it labelled again.",
            score=float(confidence[row]),
        )
        for row in order
    ]
    return Detection(findings, figures, len(texts))


def _handed(texts: list[Text], names: list[str]) -> Any:
    """Return the probabilities that the texts hold, shape (texts, classes), rows adding up to 1."""
    import numpy as np

    if not all(text.probabilities and text.probabilities.keys() >= set(names) for text in texts):
        return None
    given = np.array([[(text.probabilities or {})[name] for name in names] for text in texts])
    return given / np.maximum(given.sum(axis=1, keepdims=True), 1e-9)


def _says_enough(text: Text, settings: AuditSettings) -> bool:
    """Whether the words alone could tell the label; a "Yeah?" or half a phrase cannot."""
    words = text.text.split()
    return len(words) >= settings.label_noise_min_words and not words[-1].endswith(("-", "—"))


def _label_issues(labels: Any, probabilities: Any) -> Any:
    from cleanlab.filter import find_label_issues

    return find_label_issues(labels, probabilities, filter_by="both", n_jobs=1)


def out_of_fold(texts: list[Text], labels: Any, settings: AuditSettings) -> Any:
    """Return class probabilities, shape (texts, classes), from folds without that dialogue.

    TF-IDF of the text's words and word pairs, into a logistic regression.
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold

    said = TfidfVectorizer(min_df=2, ngram_range=(1, 2), sublinear_tf=True, max_features=20_000)
    matrix = said.fit_transform([text.text for text in texts])
    groups = [text.dialogue_id or normalise(text.text) for text in texts]
    if len(set(groups)) < FOLDS:
        raise SkippedError(f"fewer than {FOLDS} dialogues with labels")
    classes = int(labels.max()) + 1
    probabilities = np.full((len(texts), classes), 1 / classes)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=settings.seed)
    for train, held in folds.split(matrix, labels, groups):
        model = LogisticRegression(C=3.0, max_iter=150, solver="lbfgs", tol=1e-3)
        model.fit(matrix[train], labels[train])
        probabilities[np.ix_(held, model.classes_)] = model.predict_proba(matrix[held])
    return probabilities


def class_balance(table: AuditTable, settings: AuditSettings) -> Detection:
    """Measure the share of each label, overall and per responder and split; name rare classes."""
    texts = labelled(table)
    names = {text.label for text in texts}
    if len(names) > 60:
        raise SkippedError(f"{len(names)} different labels are no classes")
    slices: dict[str, Counter[str]] = {"all": Counter(str(text.label) for text in texts)}
    for text in texts:
        for name in filter(None, (text.responder, text.split and f"split {text.split}")):
            slices.setdefault(name, Counter())[str(text.label)] += 1
    shares: dict[str, Figure] = {
        name: {label: round(count / counts.total(), 4) for label, count in sorted(counts.items())}
        for name, counts in slices.items()
    }
    findings = [
        Finding(
            severity=Severity.INFO,
            responder=name if name in table.responders else None,
            evidence=label,
            score=round(counts[label] / counts.total(), 4),
            explanation=f"Label {label!r} is {counts[label] / counts.total():.1%} of {name}.",
            action="Weigh the classes, or gather more of this one.",
        )
        for name, counts in slices.items()
        for label in sorted(map(str, names))
        if counts[label] / counts.total() < 0.2 / len(names) and counts.total() >= 50
    ]
    return Detection(findings, {"shares": shares}, len(texts))


DETECTORS = {
    "label_conflicts": Detector("labels", label_conflicts),
    "label_noise": Detector("labels", label_noise),
    "class_balance": Detector("labels", class_balance),
}
