"""The page of `distillery diff` in Chromium: hostile text is text, and nothing is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.pages import write_page
from pipeline.reporting.revisions.causes import Cause
from pipeline.reporting.revisions.difference import CheckChange, Compared, Difference
from pipeline.reporting.revisions.page import page_html
from pipeline.reporting.revisions.revision import Revision
from pipeline.reporting.revisions.rows import RowChange, TableChange
from pipeline.reporting.revisions.shifts import Shift
from tests.pages.browsing import Visit, chromium

pytestmark = pytest.mark.browser
