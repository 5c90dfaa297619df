"""The judges that params.yaml may name. To add one: a function that makes it, and a line below."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from pathlib import Path

from pipeline.annotation.final_labels import FinalLabels
from pipeline.errors import PipelineError
from pipeline.evaluation.contests import Contest
from pipeline.evaluation.judges import HumanJudge, Judge, Verdict, reward_judge, scorer_judge
from pipeline.evaluation.llm_judge import LlmJudge
from pipeline.extensions import Catalogue, blamed
from pipeline.features.embeddings import Embedder
from pipeline.llm import LlmParams
from pipeline.reward_model.encoder import FrozenEncoder
from pipeline.reward_model.model import RewardModel


@dataclass(frozen=True)
class JudgeInputs:
    """What a judge can be made of: the models of the build, people's labels, a language model.

    `margin` (rating points) and `reward_margin` (log odds) are leads that are still a tie.
    """

    scorer: Path
    reward: Path
    labels: Path
    embedder: Embedder
    llm: LlmParams
    margin: float
    reward_margin: float


@dataclass(frozen=True)
class JudgeKind:
    """A judge and what a reader must know before its verdicts: what it learned from."""

    learned_from: str
    make: Callable[[JudgeInputs], Judge]


def _scorer(inputs: JudgeInputs) -> Judge:
    return scorer_judge(inputs.scorer, inputs.embedder, name="scorer", margin=inputs.margin)


def _reward(inputs: JudgeInputs) -> Judge:
    model = RewardModel.load(inputs.reward, FrozenEncoder(inputs.embedder))
    return reward_judge(model, name="reward", margin=inputs.reward_margin)


def _llm(inputs: JudgeInputs) -> Judge:
    llm = inputs.llm
    if llm.judge is None:
        raise PipelineError(
            "params.yaml: evaluate.judges has llm, and llm.judge is not set\n"
            "Name a model under llm.judge that is not the teacher, or take llm out."
        )
    return LlmJudge(llm.judge, llm.budget, is_teacher=llm.judges_itself)


def _people(inputs: JudgeInputs) -> Judge:
    return HumanJudge(FinalLabels.read(inputs.labels).better)


class _GuardedJudge:
    """A judge of an installed package, under the name of its entry point."""

    def __init__(self, entry: EntryPoint, judge: Judge) -> None:
        self.name, self._entry, self._judge = entry.name, entry, judge

    def judge(self, contests: Sequence[Contest]) -> list[Verdict]:
        """Return a verdict per contest, or say whose judge gave something else."""
        with blamed(self._entry):
            verdicts = list(self._judge.judge(contests))
            if not all(isinstance(verdict, Verdict) for verdict in verdicts):
                raise TypeError("it returns something else than verdicts")
            if len(verdicts) != len(contests):
                raise ValueError(f"{len(verdicts)} verdicts on {len(contests)} contests")
            return verdicts


def _guarded(entry: EntryPoint, kind: JudgeKind) -> JudgeKind:
    def make(inputs: JudgeInputs) -> Judge:
        with blamed(entry):
            return _GuardedJudge(entry, kind.make(inputs))

    return replace(kind, make=make)


# Scorer and reward model learn from the train side of the same split (`train_scorer`,
# `train_reward`), as students do.
JUDGES = Catalogue(
    "judges",
    JudgeKind,
    {
        "scorer": JudgeKind(
            "ratings of the train dialogues, which taught the students too; no test dialogue",
            _scorer,
        ),
        "reward": JudgeKind(
            "preferences of the train dialogues, which taught the students too; no test dialogue",
            _reward,
        ),
        "llm": JudgeKind("what its maker says; it is asked in both orders", _llm),
        "people": JudgeKind("nothing: they are those whom the others are to foretell", _people),
    },
    guard=_guarded,
)


def make_judges(names: Collection[str], inputs: JudgeInputs) -> dict[str, Judge]:
    """Return the judges of these names, in the order of `JUDGES`."""
    return {name: JUDGES[name].make(inputs) for name in JUDGES if name in names}
