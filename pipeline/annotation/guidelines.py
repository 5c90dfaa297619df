"""The codebook that annotators read, and the version that every label carries."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.annotation.items import Kind
from pipeline.errors import MissingFileError, PipelineError

_HEAD = re.compile(r"\A---\nversion: (\d+\.\d+\.\d+)\n---\n")
ORDER = ("empathy", "crisis", "behaviour_codes", "miti_mapping")
# What annotators are shown; the mapping is for those who count.
SHOWN: dict[Kind, tuple[str, ...]] = {
    "responses": ("empathy", "crisis", "behaviour_codes"),
    "pairs": ("empathy", "crisis"),
}
# Argilla takes so many characters of guidelines.
ARGILLA_MAX_CHARS = 10_000
_END = "\n\n(For annotation leads there is more: {left_out}.)\n"


@dataclass(frozen=True)
class Guidelines:
    """`version` is the written version and a hash of the text: an unannounced edit shows."""

    version: str
    parts: Mapping[str, str]

    def shown(self, kind: Kind) -> str:
        """Return the whole parts that annotators of a kind of items need, and what is left out.

        Raises PipelineError rather than cut a definition that the server has no room for.
        """
        names = SHOWN[kind]
        left_out = [f"annotations/guidelines/{name}.md" for name in ORDER if name not in names]
        text = "\n\n".join(self.parts[name] for name in names)
        text += _END.format(left_out=", ".join(left_out))
        if len(text) > ARGILLA_MAX_CHARS:
            raise PipelineError(
                f"guidelines: {', '.join(names)} have {len(text):,} characters together, and "
                f"Argilla takes {ARGILLA_MAX_CHARS:,}\nShorten them: annotators must see every "
                "definition."
            )
        return text


def load_guidelines(folder: Path) -> Guidelines:
    """Read the codebook from `folder`; all its files must state one version."""
    parts, versions = {}, {}
    for name in ORDER:
        path = folder / f"{name}.md"
        if not path.is_file():
            raise MissingFileError(path, hint="The codebook has these files: " + ", ".join(ORDER))
        content = path.read_text(encoding="utf-8")
        head = _HEAD.match(content)
        if not head:
            raise PipelineError(
                f"{path}: no version at its top\nStart it with: ---, version: 1.0.0, ---"
            )
        versions[name] = head.group(1)
        parts[name] = content[head.end() :].strip()
    if len(set(versions.values())) > 1:
        stated = ", ".join(f"{name} {version}" for name, version in versions.items())
        raise PipelineError(f"{folder}: more than one version ({stated})\nState the newest in all.")
    digest = hashlib.sha256("\n\n".join(parts.values()).encode()).hexdigest()[:8]
    return Guidelines(version=f"{versions[ORDER[0]]}+{digest}", parts=parts)
