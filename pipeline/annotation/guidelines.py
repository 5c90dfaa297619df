"""The codebook that annotators read, and the version that every label carries."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import MissingFileError, PipelineError

_HEAD = re.compile(r"\A---\nversion: (\d+\.\d+\.\d+)\n---\n")
ORDER = ("empathy", "crisis", "behaviour_codes", "miti_mapping")

# Argilla takes so many characters of guidelines; what is cut is the end, which is for the lead.
ARGILLA_MAX_CHARS = 10_000
_CUT = "\n\n(The rest is in the codebook, annotations/guidelines/.)\n"


@dataclass(frozen=True)
class Guidelines:
    """`version` is the written version and a hash of the text: an unannounced edit shows."""

    version: str
    text: str

    @property
    def shown(self) -> str:
        """The text as the server takes it: whole parts and paragraphs, with a note if cut."""
        if len(self.text) <= ARGILLA_MAX_CHARS:
            return self.text
        room = self.text[: ARGILLA_MAX_CHARS - len(_CUT)]
        return room[: room.rfind("\n\n")] + _CUT


def load_guidelines(folder: Path) -> Guidelines:
    """Read the codebook from `folder`; all its files must state one version."""
    texts, versions = [], {}
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
        texts.append(content[head.end() :].strip())
    if len(set(versions.values())) > 1:
        stated = ", ".join(f"{name} {version}" for name, version in versions.items())
        raise PipelineError(f"{folder}: more than one version ({stated})\nState the newest in all.")
    text = "\n\n".join(texts) + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return Guidelines(version=f"{versions[ORDER[0]]}+{digest}", text=text)
