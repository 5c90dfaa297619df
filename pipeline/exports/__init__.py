"""Exports: a corpus in the shape that a trainer, the Hub or a spreadsheet takes.

Every row keeps its id, splits are kept apart, and a folder appears whole or not at all.
"""
