"""Stage `generate`: what a model says to every held-out exchange."""

from __future__ import annotations

from pathlib import Path

from pipeline.config import Section
from pipeline.corpora.conversation import PromptParams
from pipeline.declare import In, Key, Model, Out, Stage
from pipeline.names import StudentName
from pipeline.records import Exchange, Rejection, Response, SplitAssignment
from pipeline.storage import TableWriter, read_table, together
from pipeline.student.answers import answer_exchanges
from pipeline.student.device import prepare
from pipeline.student.generate import GenerationParams
from pipeline.student.students import BASE, find_student

STEPS = ("sft", "dpo")


class ModelParams(Section):
    """One entry of section `models`: whose replies are generated.

    `student` is `base_model`, or a corpus under `students` with the step: human-sequential/dpo.
    """

    student: StudentName


class GenerateParams(GenerationParams):
    """Section `generate` of params.yaml: one decoding for all models."""


DAG = Stage(each="models", machine_dependent=True)


@together()
def run(
    params: GenerateParams,
    prompt: PromptParams,
    *,
    model: Key[str],
    seed: int,
    exchanges: In[Exchange],
    splits: In[SplitAssignment],
    student: In[Model],
    out: Out[Response],
    rejections: Out[Rejection],
    base: Path = BASE,
) -> None:
    """Write the replies of `student`, an adapter's folder or `base` itself, under the name `model`.

    An empty reply is a rejection.
    """
    prepare(params.device)
    sides = {one.exchange_id: one.split for one in read_table(splits, SplitAssignment)}
    asked = [one for one in read_table(exchanges, Exchange) if sides[one.id] == "test"]
    who = find_student(student, base=base, name=model)
    with TableWriter(out, Response) as kept, TableWriter(rejections, Rejection) as dropped:
        for row in answer_exchanges(who, asked, prompt, params, seed=seed):
            if isinstance(row, Rejection):
                dropped.write(row)
            else:
                kept.write(row)
