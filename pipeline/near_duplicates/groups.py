"""Disjoint groups: of names, and of positions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Groups:
    """Disjoint groups of names that must stay together (union-find)."""

    def __init__(self, names: Iterable[str]) -> None:
        self._parent = {name: name for name in names}

    def find(self, name: str) -> str:
        """Return the name that stands for the group of `name`."""
        root = name
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[name] != root:
            self._parent[name], name = root, self._parent[name]
        return root

    def join(self, left: str, right: str) -> None:
        """Put two groups together; the smaller name stands for both."""
        first, second = sorted((self.find(left), self.find(right)))
        self._parent[second] = first


class Clusters:
    """Disjoint groups of positions; `of` tells the number of the group of each at once."""

    def __init__(self, size: int) -> None:
        import numpy as np

        self.of: NDArray[np.int64] = np.arange(size)
        self._members: dict[int, list[int]] = {}

    def join_all(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Put each pair into one group; return which pairs were in two until then."""
        import numpy as np

        apart: NDArray[np.bool_] = self.of[left] != self.of[right]
        for place in np.flatnonzero(apart).tolist():
            apart[place] = self._join(int(self.of[left[place]]), int(self.of[right[place]]))
        return apart

    def _join(self, first: int, second: int) -> bool:
        if first == second:
            return False
        ours = self._members.pop(first, [first])
        theirs = self._members.pop(second, [second])
        # The smaller group moves, so that a position moves about log n times.
        if len(ours) < len(theirs):
            first, ours, theirs = second, theirs, ours
        ours += theirs
        self.of[theirs] = first
        self._members[first] = ours
        return True
