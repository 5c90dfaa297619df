"""Stage `parse`: raw completions become responses; pure, so editing it costs no call."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from pipeline.corpora.conversation import PromptParams
from pipeline.corpora.params import Distillation, RespondersParams
from pipeline.corpora.parse import Unusable, instruction_runs, parse_completion
from pipeline.declare import In, Item, Key, Out, Stage
from pipeline.errors import TableError
from pipeline.prompts import load_template
from pipeline.records import Completion, Exchange, Rejection, Response, content_id
from pipeline.storage import RERUN, TableWriter, read_table, together
from pipeline.strategies import template_names

STAGE = "parse"

DAG = Stage(each="distillations")


@together()
def run(
    name: Key[str],
    distillation: Item[Distillation],
    responders: RespondersParams,
    prompt: PromptParams,
    *,
    exchanges: In[Exchange],
    completions: In[Completion],
    responses: In[Response],
    out: Out[Response],
    rejections: Out[Rejection],
) -> None:
    """Write the parent responses of all completions with what the teacher made of them.

    `responses` is the table that held the parents. The new ones have `name` as their responder.
    """
    reference = responders.reference_responder
    kept_responders = {reference, distillation.parent_responder(reference)}
    templates = template_names(distillation.strategy, direct=prompt.template)
    instructions = instruction_runs(load_template(each).spelled_out for each in templates)
    with TableWriter(out, Response) as kept, TableWriter(rejections, Rejection) as dropped:
        for completion, parents in _joined(exchanges, completions, responses):
            for parent in parents:
                if parent.responder in kept_responders:
                    kept.write(parent)
            improved = next((one.text for one in parents if one.id == completion.improves), None)
            text = parse_completion(
                completion.text,
                instructions=instructions,
                improves=improved,
                max_words=prompt.max_words,
            )
            if isinstance(text, Unusable):
                dropped.write(_rejection(completion, text))
            else:
                kept.write(_response(completion, name, text))


def _joined(
    exchanges: Path, completions: Path, responses: Path
) -> Iterator[tuple[Completion, list[Response]]]:
    """Yield each completion with the responses of its exchange.

    The three tables hold exchanges in the same order, and the last two may leave some out.
    """
    groups = groupby(read_table(responses, Response), key=lambda one: one.exchange_id)
    group = next(groups, None)
    asked = read_table(completions, Completion)
    completion = next(asked, None)
    for exchange in read_table(exchanges, Exchange):
        found: list[Response] = []
        if group is not None and group[0] == exchange.id:
            found = list(group[1])
            group = next(groups, None)
        if completion is not None and completion.exchange_id == exchange.id:
            yield completion, found
            completion = next(asked, None)
    if completion is not None:
        raise TableError(
            completions, f"{completion.exchange_id} is not next in {exchanges}", hint=RERUN
        )


def _response(completion: Completion, name: str, text: str) -> Response:
    return Response(
        id=content_id("response", completion.exchange_id, name, completion.id, text),
        exchange_id=completion.exchange_id,
        responder=name,
        text=text,
        lineage=completion.lineage.model_copy(
            update={"operation": STAGE, "parents": (*completion.lineage.parents, completion.id)}
        ),
    )


def _rejection(completion: Completion, why: Unusable) -> Rejection:
    return Rejection(
        record_id=content_id("response-row", completion.id),
        stage=STAGE,
        reason=why.reason,
        detail=why.detail,
        parents=(*completion.lineage.parents, completion.id),
    )
