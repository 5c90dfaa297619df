"""How good something is, with its uncertainty."""
