"""Names: what may reach a shell, a path or a DVC key is a slug; the label that people gave is text.

A label (`GPT-4.1 (temp 0.7)`, `no`, `模型`) stays as it is in records, pages and exports. Its slug
is lower case, since some file systems take `A` and `a` for one name.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

MAX_CHARS = 64
HASH_DIGITS = 6
UNNAMED = "name"
SOURCE = "source"
BASE_STUDENT = "base_model"
# Names that the build's own tables and folders have beside those of a kind (dvc.yaml).
TAKEN = {"distillations": SOURCE, "corpora": BASE_STUDENT}
_SLUG = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{MAX_CHARS - 1}}}")
_OTHERS = re.compile(r"[^a-z0-9_-]+")
_SHOWN_CHARS = 80


def is_slug(text: str) -> bool:
    """Tell whether `text` may stand in a shell, in a path and in a DVC key as it is."""
    return _SLUG.fullmatch(text) is not None


def slug_of(label: str, *, prefix: str = "") -> str:
    """Return `prefix` and the slug of `label`, which depends on nothing else; a slug is its own.

    Runs of other characters become one hyphen. A label of which nothing is left, such as one in
    another script, gets digits of its hash.
    """
    if is_slug(prefix + label):
        return prefix + label
    body = _OTHERS.sub("-", label.lower()).strip("-_")
    body = body or f"{UNNAMED}-{_digits(label)}"
    return (prefix + body)[:MAX_CHARS].rstrip("-_")


def slugs_of(
    labels: Iterable[str], *, prefix: str = "", taken: Collection[str] = ()
) -> dict[str, str]:
    """Return a slug for each of the `labels` of one kind, each another one and none of `taken`.

    Where labels meet in one slug, a label that is that slug keeps it, and the others get six digits
    of their hash; where those meet something again, six others.
    """
    slugs = {label: slug_of(label, prefix=prefix) for label in labels}
    turn = 0
    while True:
        counts = Counter((*slugs.values(), *taken))
        meeting = [
            label
            for label, slug in slugs.items()
            if counts[slug] > 1 and (slug != prefix + label or slug in taken)
        ]
        if not meeting:
            return slugs
        for label in meeting:
            tail = f"-{_digits(label, turn)}"
            body = slug_of(label, prefix=prefix)[: MAX_CHARS - len(tail)].rstrip("-_")
            slugs[label] = body + tail
        turn += 1


def _digits(label: str, turn: int = 0) -> str:
    data = label.encode("utf-8", "surrogatepass") + b"\0" * turn
    return hashlib.sha256(data).hexdigest()[:HASH_DIGITS]


def as_written(value: object) -> str:
    """Return `value`, short and with unseen characters spelled out, for a message."""
    text = value if isinstance(value, str) else str(value)
    shown = ascii(value if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS])
    return shown if len(text) <= _SHOWN_CHARS else f"{shown}… ({len(text)} characters)"


def _checked(value: object) -> str:
    if not isinstance(value, str):
        plain = value is None or isinstance(value, bool)
        word = json.dumps(value) if plain else as_written(str(value)).strip("'")
        raise ValueError(f'{word} is no text, so no name: write it in quotes, "{word}"')
    if not is_slug(value):
        raise ValueError(
            f"{as_written(value)} cannot be a name in paths and commands: a to z, 0 to 9, - and _, "
            f"at most {MAX_CHARS}, a letter or digit first, such as {slug_of(value)}; "
            "`distillery migrate` renames it everywhere"
        )
    return value


def _checked_free(kind: str) -> Callable[[str], str]:
    def check(name: str) -> str:
        if name == TAKEN[kind]:
            raise ValueError(
                f"{name} is what the build calls a thing of its own, and both would be written to "
                "one path: give this one another name; `distillery migrate` renames it everywhere"
            )
        return name

    return check


def _checked_student(value: object) -> str:
    corpus, _, step = _text(value).partition("/")
    if value != BASE_STUDENT and not (is_slug(corpus) and is_slug(step)):
        raise ValueError(
            f"{as_written(value)} names no student: {BASE_STUDENT}, or a corpus and a step, such "
            "as human-sequential/sft"
        )
    return str(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


# A name under `corpora`, `distillations`, `students` or `models`, and a reference to one.
Slug = Annotated[str, BeforeValidator(_checked)]
DistillationName = Annotated[Slug, AfterValidator(_checked_free("distillations"))]
CorpusName = Annotated[Slug, AfterValidator(_checked_free("corpora"))]
# A reference to a student: that of a corpus after a step, or what all of them start from.
StudentName = Annotated[str, BeforeValidator(_checked_student)]
