"""A judge: the reply that thanks is better."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.evaluation.contests import Contest
from pipeline.evaluation.judge_kinds import JudgeInputs, JudgeKind
from pipeline.evaluation.judges import Judge, Verdict


class ThanksJudge:
    """Prefers thanks."""

    name = "thanks"

    def judge(self, contests: Sequence[Contest]) -> list[Verdict]:
        """Return a verdict per contest; both or neither is a tie."""
        return [
            Verdict(0.5 + ("thank" in one.ours.text) / 2 - ("thank" in one.theirs.text) / 2)
            for one in contests
        ]


def make(inputs: JudgeInputs) -> Judge:
    """Return the judge; it needs nothing."""
    del inputs
    return ThanksJudge()


THANKS = JudgeKind("nothing: it looks for one word", make)
