"""Text search over a record's fields: words, "phrases", prefix* and -negation, all needed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_WORD = re.compile(r"\w+", re.UNICODE)
_PART = re.compile(r'(?P<negated>-?)(?:"(?P<phrase>[^"]*)"|(?P<word>\S+))')


@dataclass(frozen=True)
class Term:
    """Words that must follow one another, or must not if `negated`; `prefix` opens the last one."""

    words: tuple[str, ...]
    negated: bool = False
    prefix: bool = False

    def count(self, words: list[str]) -> int:
        """Return how often the term occurs in `words`."""
        size = len(self.words)
        return sum(
            self._is_at(words[start : start + size]) for start in range(len(words) - size + 1)
        )

    def _is_at(self, window: list[str]) -> bool:
        if not self.prefix:
            return tuple(window) == self.words
        *head, last = self.words
        return window[:-1] == head and window[-1].startswith(last)


@dataclass(frozen=True)
class TextSearch:
    """A parsed query; `field` limits it to one field of the record."""

    terms: tuple[Term, ...]
    field: str | None = None

    def score(self, fields: dict[str, Any]) -> float | None:
        """Return the relevance of a record, None if it does not match. More hits, more score."""
        words = _words(fields, self.field)
        total = 0.0
        for term in self.terms:
            hits = term.count(words)
            if bool(hits) == term.negated:
                return None
            total += hits / (1 + hits)
        return total

    @property
    def needed(self) -> list[str]:
        """Words whose characters must be in a match as they are: a cheap first sieve for SQL.

        Words beyond ASCII are left out, since a database may store and fold them in another way.
        """
        return [
            word for term in self.terms if not term.negated for word in term.words if word.isascii()
        ]


def parse(query: str, field: str | None = None) -> TextSearch:
    """Read a query as people type it; one without any word matches everything."""
    terms = []
    for part in _PART.finditer(query):
        text = part["phrase"] if part["phrase"] is not None else part["word"]
        if words := tuple(word.lower() for word in _WORD.findall(text)):
            prefix = part["phrase"] is None and text.endswith("*")
            terms.append(Term(words, negated=bool(part["negated"]), prefix=prefix))
    return TextSearch(tuple(terms), field)


def _words(fields: dict[str, Any], field: str | None) -> list[str]:
    values = [fields.get(field)] if field else list(fields.values())
    texts: list[str] = []
    for value in values:
        if isinstance(value, list):  # a chat: messages with role and content
            texts += [
                f"{message.get('role', '')} {message.get('content', '')}"
                for message in value
                if isinstance(message, dict)
            ]
        elif value is not None:
            texts.append(str(value))
    return [word.lower() for word in _WORD.findall("\n".join(texts))]
