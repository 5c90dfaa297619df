"""What fills the tables of the documents: run by cog (`make docs`), so that they cannot drift."""
