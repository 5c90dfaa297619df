"""Empathy Distillery: build, audit and distil empathetic-dialogue corpora."""

__version__ = "0.1.0"
