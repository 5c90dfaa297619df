"""How much memory a file takes once it is read: said, and bounded, before it is unfolded.

A few hundred bytes can stand for gigabytes: one text that a dictionary repeats, a list of a hundred
million nulls, a page of zeros. Readers ask here first.
"""
