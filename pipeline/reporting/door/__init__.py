"""The page to open first: what was built, in which state, and where to read more."""

from pipeline.reporting.door.page import door_html

__all__ = ["door_html"]
