"""Stage `evaluate`: models against their opponents, by every judge, on every test set."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator

from pipeline.audit.settings import AuditSettings
from pipeline.config import Section
from pipeline.corpora.params import Corpus, DirectCorpus
from pipeline.declare import Folder, In, Metrics, Model, Out, Param, Plot, Stage
from pipeline.evaluation.comparison import (
    BASE,
    Meeting,
    Options,
    all_contests,
    compare,
    meetings,
)
from pipeline.evaluation.contests import (
    NULLS,
    Contest,
    Replies,
    by_responder,
    contest_pairs,
    null_models,
    read_models,
)
from pipeline.evaluation.judge_kinds import JUDGES, JudgeInputs, make_judges
from pipeline.evaluation.judges import longer_judge
from pipeline.evaluation.reply_report import Pairs, check_lines, reply_report
from pipeline.evaluation.test_sets import held_out_sets
from pipeline.features.embeddings import CACHE, CachedEmbedder, MiniLm
from pipeline.llm import LlmParams
from pipeline.progress import print_line
from pipeline.records import Exchange, FinalLabel, PreferencePair, Response, SplitAssignment
from pipeline.scoring.saved import load
from pipeline.storage import read_table, write_json, write_table


class EvaluateParams(Section):
    """Section `evaluate` of params.yaml."""

    judges: tuple[str, ...] = Field(min_length=1)
    margin: float = Field(ge=0, description="of the scorer: rating points that are still a tie")
    reward_margin: float = Field(
        ge=0, description="of the reward model: log odds that are still a tie"
    )
    length_tolerance: float = Field(
        ge=0, lt=1, description="equal length: words may differ by this share of the longer reply"
    )
    resamples: int = Field(ge=100, description="bootstrap resamples")

    @field_validator("judges")
    @classmethod
    def _are_known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in names if name not in JUDGES]:
            raise ValueError(f"judge {unknown[0]!r} is not one of {', '.join(JUDGES)}")
        return names


@dataclass(frozen=True)
class Tournament:
    """Everyone's replies, who meets whom, and on what."""

    exchanges: dict[str, Exchange]
    test_sets: dict[str, list[Exchange]]
    replies: dict[str, Replies]
    meetings: list[Meeting]

    @property
    def tested(self) -> list[Exchange]:
        """The exchanges of all test sets, each once."""
        return list({one.id: one for found in self.test_sets.values() for one in found}.values())

    def contests(self) -> list[Contest]:
        """Return what a judge is asked about, each contest once."""
        found = all_contests(self.meetings, self.replies, self.test_sets).values()
        unique = {one.id: one for contests in found for one in contests}
        return [one for one in unique.values() if not one.is_settled]


def read_tournament(
    models: Collection[str], *, exchanges: Path, responses: Path, splits: Path, generations: Path
) -> Tournament:
    """Read the replies of `models` and of responders; nulls choose among all but the base's."""
    asked = {one.id: one for one in read_table(exchanges, Exchange)}
    source = list(read_table(responses / "source.parquet", Response))
    held_out = held_out_sets(asked.values(), read_table(splits, SplitAssignment), source)
    written, outside = read_models(generations, models), by_responder(source)
    others = [*outside.values(), *(one for name, one in written.items() if name != BASE)]
    tested = [one for found in held_out.values() for one in found]
    replies = {**written, **outside, **null_models(tested, others)}
    return Tournament(asked, held_out, replies, meetings(written, outside))


DAG = Stage(machine_dependent=True)


def run(
    params: EvaluateParams,
    llm: LlmParams,
    corpora: Mapping[str, Corpus],
    audit: AuditSettings,
    models: Collection[str],
    *,
    seed: int,
    reference_responder: Annotated[str, Param("responders.reference_responder")],
    exchanges: In[Exchange],
    responses: In[Folder],
    splits: In[SplitAssignment],
    generations: In[Folder],
    scorer: In[Model],
    reward: In[Model],
    labels: In[FinalLabel],
    evaluation: Annotated[Path, Plot("win_rate", "model", "bar_horizontal")],
    replies: Metrics,
    contests: Out[PreferencePair],
    embeddings: Path = CACHE,
) -> dict[str, Any]:
    """Write the table to `evaluation`, measures of replies to `replies`.

    `contests` gets every contest as a pair for annotators. Return the measures of replies.
    """
    tournament = read_tournament(
        models, exchanges=exchanges, responses=responses, splits=splits, generations=generations
    )
    embedder = CachedEmbedder(MiniLm(), embeddings)
    inputs = JudgeInputs(scorer, reward, labels, embedder, llm, params.margin, params.reward_margin)
    judges = make_judges(params.judges, inputs)
    table = compare(
        tournament.meetings,
        tournament.replies,
        tournament.test_sets,
        list(judges.values()),
        Options(params.length_tolerance, seed, params.resamples),
        beside=[longer_judge()],
    )
    _, _, coder = load(scorer, embedder)
    taught = {name: _taught(one, responses, tournament.exchanges) for name, one in corpora.items()}
    people = (*audit.human_responders, reference_responder)
    settings = audit.model_copy(update={"human_responders": people})
    measured = {name: one for name, one in tournament.replies.items() if name not in NULLS}
    figures = reply_report(tournament.tested, measured, taught, coder, settings)
    figures["judges"] = {judge.name: JUDGES[kind].learned_from for kind, judge in judges.items()}
    figures["judge_agreement"] = [asdict(one) for one in table.agreements]
    write_table(contests, PreferencePair, contest_pairs(table.contests))
    write_json(evaluation, [row.model_dump(mode="json") for row in table.rows])
    write_json(replies, figures)
    for line in check_lines(figures):
        print_line(line)
    return figures


def _taught(corpus: Corpus, responses: Path, exchanges: Mapping[str, Exchange]) -> Pairs:
    """Return all that the teachers of a corpus wrote, with what it answers."""
    teachers = corpus.teachers if isinstance(corpus, DirectCorpus) else (corpus.responses,)
    return [
        (exchanges[one.exchange_id], one)
        for one in read_table(responses / f"{corpus.responses}.parquet", Response)
        if one.responder in teachers
    ]
