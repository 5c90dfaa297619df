"""What holds for every page, read from its template."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.workspace import PROJECT

TEMPLATES = sorted((PROJECT / "pipeline").rglob("*.html.j2"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_what_scrolls_is_reached_by_keyboard_and_has_a_name(template: Path) -> None:
    opened = re.findall(r'<div class="scroll[^>]*>', template.read_text(encoding="utf-8"))

    assert [one for one in opened if 'tabindex="0"' not in one or "aria-label=" not in one] == []
