"""Words: how long a text is, what it says, and the runs of words in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_SPELLED = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


def count_words(text: str) -> int:
    """Return the length of `text` in words: whatever stands between white space."""
    return len(text.split())


def words_of(text: str, *, numbers: bool = True) -> list[str]:
    """Return the words of `text` in small letters, punctuation left out.

    An apostrophe inside a word is part of it and is straight. Without `numbers` digits are left out
    as punctuation is.
    """
    pattern = _WORD if numbers else _SPELLED
    return pattern.findall(text.casefold().replace("’", "'"))


def runs(words: Sequence[str], length: int) -> list[tuple[str, ...]]:
    """Return every run of `length` words (n-gram), in order."""
    return [tuple(words[at : at + length]) for at in range(len(words) - length + 1)]


def distinct(texts: Iterable[Sequence[str]], length: int) -> float | None:
    """Return the share of different runs among all runs of `texts`, given as words; None of none.

    1 is nothing said twice. Li et al. (2016), "A diversity-promoting objective function".
    """
    every = [run for words in texts for run in runs(words, length)]
    return len(set(every)) / len(every) if every else None


def repetition(words: Sequence[str], length: int) -> float:
    """Return the share of the runs of one text that it said before; 0 if it has none."""
    share = distinct([words], length)
    return 0.0 if share is None else 1 - share
