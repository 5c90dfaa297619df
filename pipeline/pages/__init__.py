"""What every page of the project shares: one look, one way to render text nobody vouches for.

A page is one HTML file that opens from disk: style, script and figures are inside, and its content
security policy forbids everything else, so text that slipped through could neither run nor call.
"""

from pipeline.pages.page import Script, page_environment, write_page
from pipeline.pages.text import printable, shortened

__all__ = ["Script", "page_environment", "printable", "shortened", "write_page"]
