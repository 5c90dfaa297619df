"""What changed between two git revisions: rows with reasons, distributions, gates, audit."""
