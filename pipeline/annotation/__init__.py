"""People label here: what they are asked, who sees what, and how far they agree."""
