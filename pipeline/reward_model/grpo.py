"""Option for an accelerator: GRPO of a student with TRL, a saved reward model as its reward.

A policy that is paid by a model learns to please the model. `Watch` looks at what it writes while
it learns: length, repetition, the share of the commonest opening, and the divergence from where it
started; `check` says which went beyond its bound.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.config import Section
from pipeline.reward_model.applying import Rewards
from pipeline.reward_model.texts import RewardError, Text

OPENING_WORDS = 4
RewardFunction = Callable[..., list[float]]


class GrpoParams(Section):
    """How to train, and what is suspicious.

    `beta` weighs the divergence from the start; the bounds are for the means of the last steps:
    `most_kl` in nats a token, `most_growth` of the mean length against the first steps',
    `most_repetition` the share of word pairs that were there before in the same response,
    `most_template` the share of responses with the commonest first four words.
    """

    steps: int = Field(gt=0)
    batch: int = Field(gt=0, description="responses a step")
    group: int = Field(ge=2, description="responses to one prompt")
    rate: float = Field(gt=0, description="learning rate")
    beta: float = Field(ge=0, default=0.05)
    max_tokens: int = Field(gt=0, default=80, description="response length, tokens")
    most_kl: float = Field(gt=0, default=0.5)
    most_growth: float = Field(gt=1, default=1.5)
    most_repetition: float = Field(gt=0, le=1, default=0.3)
    most_template: float = Field(gt=0, le=1, default=0.5)
    gpu: bool = False


def reward_function(model: Rewards) -> RewardFunction:
    """Return `model` as TRL calls it: prompts, completions and the columns of the data set.

    A column `utterance` says what was answered; without it that is what the user said last.
    """

    def reward(
        prompts: Sequence[Any],
        completions: Sequence[Any],
        utterance: Sequence[str] | None = None,
        **columns: Any,
    ) -> list[float]:
        del columns
        said = utterance if utterance is not None else [_content(one) for one in prompts]
        texts = [Text(one, _content(two)) for one, two in zip(said, completions, strict=True)]
        # An empty response cannot be read: it is worth less than any that can.
        full = [text for text in texts if text.response.strip()]
        rewards = iter(model.reward(full).tolist() if full else ())
        found = [next(rewards) if text.response.strip() else math.nan for text in texts]
        least = min((one for one in found if not math.isnan(one)), default=0.0)
        return [least - 1 if math.isnan(one) else float(one) for one in found]

    return reward


def _content(messages: Any) -> str:
    return messages if isinstance(messages, str) else str(messages[-1]["content"])


@dataclass
class Watch:
    """Wraps a reward function and keeps, per call, what the policy wrote like."""

    reward: RewardFunction
    steps: list[dict[str, float]] = field(default_factory=list)
    __name__: str = "reward_model"

    def __call__(self, prompts: Any, completions: Any, **columns: Any) -> list[float]:
        """Return the rewards, and note what the completions are like."""
        found = self.reward(prompts, completions, **columns)
        texts = [_content(one) for one in completions]
        self.steps.append({"reward": sum(found) / len(found), **signs(texts)})
        return found


def signs(texts: Sequence[str]) -> dict[str, float]:
    """Return the mean words, the share of repeated word pairs and that of the commonest opening."""
    words = [text.lower().split() for text in texts]
    openings = Counter(tuple(one[:OPENING_WORDS]) for one in words)
    return {
        "words": sum(map(len, words)) / len(words),
        "repetition": sum(map(_repetition, words)) / len(words),
        "template": openings.most_common(1)[0][1] / len(words),
    }


def _repetition(words: Sequence[str]) -> float:
    pairs = list(pairwise(words))
    return 1 - len(set(pairs)) / len(pairs) if pairs else 0.0


def check(steps: Sequence[Mapping[str, float]], kl: float, params: GrpoParams) -> list[str]:
    """Return in words what went beyond its bound, nothing if all is well."""
    if not steps:
        raise RewardError("GRPO: the reward was never asked\nTrain for a step at least.")
    part = max(len(steps) // 4, 1)
    first = {name: sum(one[name] for one in steps[:part]) / part for name in steps[0]}
    last = {name: sum(one[name] for one in steps[-part:]) / part for name in steps[0]}
    growth = last["words"] / max(first["words"], 1.0)
    found = (
        ("divergence from the start, nats a token", kl, params.most_kl),
        ("growth of length", growth, params.most_growth),
        ("repetition", last["repetition"], params.most_repetition),
        ("share of one opening", last["template"], params.most_template),
    )
    return [
        f"{name} is {value:.2f}, at most {most:.2f}" for name, value, most in found if value > most
    ]


def train_grpo(
    student: Path, rows: Sequence[Mapping[str, Any]], model: Rewards, params: GrpoParams, out: Path
) -> dict[str, Any]:
    """Train the student in the folder `student` on `rows` (`prompt`, `utterance`) into `out`.

    Returns the signs of each step and the warnings; a run with warnings should not be deployed.
    """
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import GRPOConfig, GRPOTrainer

    watch = Watch(reward_function(model))
    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(student, local_files_only=True),
        processing_class=AutoTokenizer.from_pretrained(student, local_files_only=True),
        reward_funcs=watch,
        train_dataset=Dataset.from_list([dict(row) for row in rows]),
        args=GRPOConfig(
            output_dir=str(out / "steps"),
            max_steps=params.steps,
            per_device_train_batch_size=params.batch,
            num_generations=params.group,
            learning_rate=params.rate,
            beta=params.beta,
            max_completion_length=params.max_tokens,
            use_cpu=not params.gpu,
            bf16=params.gpu,
            gradient_checkpointing=False,
            report_to="none",
            save_strategy="no",
            logging_steps=1,
            disable_tqdm=True,
        ),
    )
    trainer.train()
    trainer.save_model(str(out))
    logged = [row["kl"] for row in trainer.state.log_history if "kl" in row]
    kl = float(logged[-1]) if logged else 0.0
    return {"steps": watch.steps, "kl": kl, "warnings": check(watch.steps, kl, params)}
