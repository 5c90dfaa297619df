"""Documents, and the programs that fill their tables."""
