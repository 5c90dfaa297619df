"""`params.yaml` as one type. Imported by the command line alone; stages get their section."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Self, get_type_hints

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    ValidationError,
    create_model,
    model_validator,
)

from pipeline.code_keys import stage_names
from pipeline.config import Section
from pipeline.corpora.conversation import PromptParams
from pipeline.corpora.params import (
    Corpus,
    DirectCorpus,
    Distillation,
    HumanCorpus,
    LlmCorpus,
    RespondersParams,
)
from pipeline.errors import MissingFileError, ParamsError
from pipeline.llm import LlmParams
from pipeline.names import BASE_STUDENT, SOURCE, CorpusName, DistillationName, Slug
from pipeline.stages.audit import AuditParams
from pipeline.stages.base_model import BaseModelParams
from pipeline.stages.distil import DistilParams
from pipeline.stages.evaluate import EvaluateParams
from pipeline.stages.evaluate_scorers import EvaluateScorersParams
from pipeline.stages.expect import ExpectParams
from pipeline.stages.featurize import FeaturizeParams
from pipeline.stages.generate import STEPS, GenerateParams, ModelParams
from pipeline.stages.ingest import IngestParams
from pipeline.stages.merge_annotations import MergeAnnotationsParams
from pipeline.stages.rate import RateParams
from pipeline.stages.reward_curve import RewardCurveParams
from pipeline.stages.select_annotations import SelectAnnotationsParams
from pipeline.stages.split import SplitParams
from pipeline.stages.suggest_labels import SuggestLabelsParams
from pipeline.stages.train_dpo import TrainDpoParams
from pipeline.stages.train_reward import TrainRewardParams
from pipeline.stages.train_scorer import TrainScorerParams
from pipeline.stages.train_sft import TrainSftParams
from pipeline.storage import AtomicFile
from pipeline.strategies import STRATEGIES
from pipeline.yaml_files import NotYamlError, format_yaml, parse_to_edit, parse_yaml

DEFAULT_PATH = Path("params.yaml")


def _asks_in_a_known_way(distillation: Distillation) -> Distillation:
    if distillation.strategy not in STRATEGIES:
        raise ValueError(
            f"strategy {distillation.strategy!r} is not one of {', '.join(STRATEGIES)}"
        )
    return distillation


class Params(Section):
    """The whole of params.yaml; an unknown key anywhere is an error."""

    seed: int = Field(ge=0)
    ingest: IngestParams
    split: SplitParams
    responders: RespondersParams
    prompt: PromptParams
    llm: LlmParams
    distil: DistilParams
    distillations: dict[
        DistillationName, Annotated[Distillation, AfterValidator(_asks_in_a_known_way)]
    ]
    corpora: dict[CorpusName, Corpus] = Field(min_length=1)
    expect: ExpectParams
    audit: AuditParams
    featurize: FeaturizeParams
    rate: RateParams
    train_scorer: TrainScorerParams
    evaluate: EvaluateParams
    evaluate_scorers: EvaluateScorersParams
    merge_annotations: MergeAnnotationsParams
    suggest_labels: SuggestLabelsParams
    select_annotations: SelectAnnotationsParams
    base_model: BaseModelParams
    students: tuple[Slug, ...]
    train_sft: TrainSftParams
    train_dpo: TrainDpoParams
    models: dict[Slug, ModelParams]
    generate: GenerateParams
    train_reward: TrainRewardParams
    reward_curve: RewardCurveParams
    _further: dict[str, Section] = PrivateAttr(default_factory=dict)

    @classmethod
    def read(cls, values: Any) -> Self:
        """Return what `values` of a params file say; raises ValidationError.

        A stage that has no field here may have a section, of the type that its `run` names.
        """
        types = _further_sections(values)
        rest = {name: values[name] for name in values if name not in types} if types else values
        params = cls.model_validate(rest)
        fields: dict[str, Any] = {name: (kind, ...) for name, kind in types.items()}
        further = create_model("Further", **fields)
        sections = further.model_validate({name: values[name] for name in types})
        params._further.update({name: getattr(sections, name) for name in types})
        return params

    def section(self, name: str) -> Any:
        """Return the section or value called `name`."""
        return self._further[name] if name in self._further else getattr(self, name)

    @model_validator(mode="after")
    def _corpora_name_known_teachers(self) -> Self:
        known = set(self.responders.teacher_responders)
        for name, corpus in self.corpora.items():
            unknown = set(corpus.teachers) - known if isinstance(corpus, DirectCorpus) else set()
            if unknown:
                raise ValueError(
                    f"corpora.{name}.teachers: {', '.join(sorted(unknown))} is not among "
                    f"responders.teacher_responders ({', '.join(sorted(known))})"
                )
        return self

    @model_validator(mode="after")
    def _distillations_are_there(self) -> Self:
        for name, one in self.distillations.items():
            if one.parents != SOURCE and one.parents not in self.distillations:
                raise ValueError(f"distillations.{name}.parents: no distillation {one.parents}")
        for name, corpus in self.corpora.items():
            if isinstance(corpus, HumanCorpus | LlmCorpus):
                used = self.distillations.get(corpus.responses)
                if used is None or used.method != corpus.method:
                    raise ValueError(
                        f"corpora.{name}.responses: no distillation {corpus.responses} of method "
                        f"{corpus.method}; there are {', '.join(self.distillations)}"
                    )
        return self

    @model_validator(mode="after")
    def _students_have_a_corpus(self) -> Self:
        for name in self.students:
            if name not in self.corpora:
                raise ValueError(f"students: no corpus {name}; there are {', '.join(self.corpora)}")
        there = {BASE_STUDENT, *(f"{name}/{step}" for name in self.students for step in STEPS)}
        for name, model in self.models.items():
            if model.student not in there:
                raise ValueError(
                    f"models.{name}.student: {model.student} is not trained; there are "
                    f"{', '.join(sorted(there))}"
                )
        return self

    def require(self, section: str, name: str) -> None:
        """Raise ParamsError, which says what there is, if `section` has no entry called `name`."""
        entries = self.section(section)
        if name not in entries:
            raise ParamsError(
                DEFAULT_PATH, [f"{section}.{name}: not there; there are {', '.join(entries)}"]
            )

    def distillation(self, name: str) -> Distillation:
        """Return the distillation called `name`, or say which there are."""
        self.require("distillations", name)
        return self.distillations[name]


def _further_sections(values: Any) -> dict[str, Any]:
    """Return the types of the sections in `values` that are of stages without a field in Params."""
    types = {}
    for name in values if isinstance(values, dict) else ():
        if isinstance(name, str) and name not in Params.model_fields and name in stage_names():
            run = importlib.import_module(f"pipeline.stages.{name}").run
            if "params" in (hints := get_type_hints(run)):
                types[name] = hints["params"]
    return types


def load_params(path: Path = DEFAULT_PATH) -> Params:
    """Read and check `params.yaml`; every problem is named with its key."""
    return check_params(_content(path), path)


def check_params(content: bytes, path: Path) -> Params:
    """Return what the content of a params file says; `path` is named in what is wrong with it."""
    try:
        return Params.read(parse_yaml(content, path))
    except NotYamlError as error:
        raise ParamsError(path, [f"not YAML: {error.problem}"]) from error
    except ValidationError as error:
        values = parse_to_edit(content, path)
        problems = [_problem(dict(one), values) for one in error.errors()]
        raise ParamsError(path, problems) from error


@contextmanager
def edit_params(target: Path, *, origin: Path | None = None) -> Iterator[dict[str, Any]]:
    """Yield the values of `origin`, or of `target` itself, to be changed; comments stay.

    What was changed is written beside `target`, read back, and takes its place if it says the same
    and is as it should be. Raises ParamsError otherwise, with `target` as it was.
    """
    values = read_to_edit(origin or target)
    yield values
    with AtomicFile(target) as part:
        part.write_text(format_yaml(values), encoding="utf-8")
        check_params(part.read_bytes(), target)
        read_back = parse_yaml(part.read_bytes(), target)
        if changed := [key for key, value in values.items() if value != read_back.get(key)]:
            problem = "cannot be written so that it is read again as it is: write it by hand"
            raise ParamsError(target, [f"{key}: {problem}" for key in changed])


def read_to_edit(path: Path) -> dict[str, Any]:
    """Return the values of a params file as they are, unchecked, with their comments."""
    try:
        values = parse_to_edit(_content(path), path)
    except NotYamlError as error:
        raise ParamsError(path, [f"not YAML: {error.problem}"]) from error
    if not isinstance(values, dict):
        raise ParamsError(path, ["not a list of names and values"])
    return values


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise MissingFileError(
            path, hint="Run this in the project's folder, the one with dvc.yaml in it."
        )
    return path.read_bytes()


def _problem(error: dict[str, Any], values: object) -> str:
    steps = [part for part in error["loc"] if part != "[key]"]
    line = _line(steps, values)
    if len(steps) < len(error["loc"]):  # the name itself is wrong, and the message says it
        steps = steps[:-1]
    where = ".".join(str(part) for part in steps)
    what = str(error["msg"]).removeprefix("Value error, ") + (f" (line {line})" if line else "")
    return f"{where}: {what}" if where else what


def _line(steps: Sequence[str | int], values: Any) -> int | None:
    """Return the line of what `steps` lead to in the `values` of `parse_to_edit`, as far as known.

    A step that is not in the file, such as the method that tells kinds of corpora apart, is passed.
    """
    line = None
    for step in steps:
        places = getattr(values, "lc", None)
        if places is not None and step in (places.data or {}):  # not there: no step, or merged
            line = places.data[step][0] + 1
            values = values[step]
    return line
