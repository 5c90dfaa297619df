"""Printing for people and for scripts."""

from __future__ import annotations

import json
import sys


def say(text: str) -> None:
    """Print a line for a person."""
    sys.stdout.write(f"{text}\n")


def say_json(value: object) -> None:
    """Print one JSON document for a script."""
    say(json.dumps(value, indent=2, ensure_ascii=False))


def note(text: str) -> None:
    """Print a line beside the output, on standard error."""
    sys.stderr.write(f"{text}\n")
