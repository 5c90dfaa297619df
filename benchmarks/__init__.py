"""What we claim about speed and memory, as programs: `make bench`, `make bench ONLY=name`."""
