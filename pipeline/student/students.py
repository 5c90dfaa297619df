"""Students by the folder of their last adapter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import MissingFileError
from pipeline.layout import path_of
from pipeline.student.adapters import FACTS, check_chain, read_adapter
from pipeline.student.base_model import CARD, read_base

# Where the stages put them; a name such as human-sequential/dpo is a folder in it.
STUDENTS = path_of("students")
BASE = STUDENTS / "base_model"


@dataclass(frozen=True)
class Student:
    """A base model in the folder `base` with `adapters` on it, in the order of their training."""

    name: str
    base: Path
    adapters: tuple[Path, ...]

    @property
    def model_id(self) -> str:
        """The base model's name and the hashes of the adapters: which weights answered."""
        hashes = [read_adapter(one).sha256[:12] for one in self.adapters]
        return "+".join([str(read_base(self.base)["name"]), *hashes])

    @property
    def licence(self) -> str:
        """The most restrictive licence of the base and of all data that it was taught by."""
        if self.adapters:
            return read_adapter(self.adapters[-1]).licence
        return str(read_base(self.base)["licence"])


def find_student(folder: Path, *, base: Path = BASE, name: str | None = None) -> Student:
    """Return the student whose last adapter, or whose whole model, is in `folder`.

    The adapters below it are looked for beside it. Raises MissingFileError if one is not there.
    """
    if (folder / CARD).is_file():
        return Student(name or folder.name, folder, ())
    if not (folder / FACTS).is_file():
        raise MissingFileError(
            folder / FACTS,
            hint="Name the folder of a model or of an adapter, or train it: dvc repro train_sft",
        )
    siblings = {
        read_adapter(one.parent).sha256: one.parent for one in folder.parent.glob(f"*/{FACTS}")
    }
    facts = read_adapter(folder)
    for parent in facts.parents:
        if parent not in siblings:
            raise MissingFileError(
                folder.parent / "sft",
                hint=f"{folder} was trained on top of adapter {parent[:12]}, which is not beside "
                "it. Train both again: dvc repro train_sft train_dpo",
            )
    adapters = (*(siblings[one] for one in facts.parents), folder)
    check_chain(base, adapters)
    return Student(name or f"{folder.parent.name}/{folder.name}", base, adapters)
