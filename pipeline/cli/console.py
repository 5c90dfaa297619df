"""Printing for people and for scripts."""

from __future__ import annotations

import json
import re
import sys

_UNSAFE = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_OBEYED = re.compile(f"[\x00-\x08\x0b-\x1f]|{_UNSAFE.pattern}")


def say(text: str) -> None:
    """Print a line for a person; what a terminal would obey, or not take, is spelled out."""
    sys.stdout.write(f"{_spelled_out(text)}\n")


def say_json(value: object) -> None:
    """Print one JSON document for a script."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # JSON escapes the other controls itself; these a terminal would obey, or no stream would take.
    say(_UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text))


def note(text: str) -> None:
    """Print a line beside the output, on standard error."""
    sys.stderr.write(f"{_spelled_out(text)}\n")


def _spelled_out(text: str) -> str:
    return _OBEYED.sub(lambda found: f"⟨U+{ord(found.group()):04X}⟩", text)
