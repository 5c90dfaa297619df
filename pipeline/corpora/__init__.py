"""Training corpora from exchanges and responses."""
