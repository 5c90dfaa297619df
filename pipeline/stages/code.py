"""Stage `code`: one key per stage, so that an edit reruns the stages that import it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pipeline.code_keys import code_keys, stage_names
from pipeline.declare import Folder, In, Param, Stage, Uncached, Yaml
from pipeline.storage import AtomicFile
from pipeline.yaml_files import format_yaml

# Names of params.yaml become words of commands and parts of paths. They are checked here, before
# any other stage: whoever is given the values of params.yaml has had them checked.
DAG = Stage(watches=("distillations", "corpora", "students", "models", "train_dpo.pairs"))


def run(
    _params: Annotated[Mapping[str, Any], Param("", watched=False)],
    *,
    package: In[Folder],
    out: Uncached[Yaml],
) -> None:
    """Write the key of every stage in `package`; the file stays as it is if none has changed."""
    text = format_yaml(code_keys(package, stage_names(package)))
    if out.is_file() and out.read_text(encoding="utf-8") == text:
        return
    with AtomicFile(Path(out)) as part:
        part.write_text(text, encoding="utf-8")
