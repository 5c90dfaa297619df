"""What a response is described by: named numbers, joined by response id."""
