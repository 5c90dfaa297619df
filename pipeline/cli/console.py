"""Printing for people and for scripts."""

from __future__ import annotations

import json
import re
import sys

# What no UTF-8 holds (halves of a surrogate pair) and what a terminal obeys; JSON can spell both.
_UNSPELLED = re.compile("[\x7f-\x9f\ud800-\udfff]")


def say(text: str) -> None:
    """Print a line for a person."""
    sys.stdout.write(f"{text}\n")


def say_json(value: object) -> None:
    """Print one JSON document for a script."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    say(_UNSPELLED.sub(lambda match: f"\\u{ord(match.group()):04x}", text))


def note(text: str) -> None:
    """Print a line beside the output, on standard error."""
    sys.stderr.write(f"{text}\n")
