"""Texts that say nearly the same: MinHash candidates, verified by exact Jaccard similarity."""

from pipeline.near_duplicates.groups import Groups
from pipeline.near_duplicates.search import NearDuplicate, near_duplicates
from pipeline.near_duplicates.shingles import jaccard, normalise, shingles

__all__ = ["Groups", "NearDuplicate", "jaccard", "near_duplicates", "normalise", "shingles"]
