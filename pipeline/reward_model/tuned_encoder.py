"""Option: the student itself as the encoder, its last layers fine-tuned by LoRA on the pairs.

A text is the student's state at its last token. Tuning and the head are two steps: the adapter
learns with a linear head of its own, and any head then reads the tuned states as it reads others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import Field

from pipeline.config import Section
from pipeline.features.table import Array
from pipeline.reward_model.texts import RewardError, Text, TextPair

if TYPE_CHECKING:
    import torch

LORA_LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj")


class TunedEncoderParams(Section):
    """How the last `layers` of a student are tuned."""

    layers: int = Field(ge=0, description="tuned layers, from the last; 0: frozen")
    rank: int = Field(gt=0, default=8)
    steps: int = Field(ge=0)
    batch: int = Field(gt=0, default=4, description="pairs a step")
    rate: float = Field(gt=0, default=1e-4)
    max_tokens: int = Field(gt=0, default=256, description="of prompt and response together")


class TunedEncoder:
    """A causal language model in the folder `student`, read at the last token."""

    style = 0

    def __init__(self, student: Path, params: TunedEncoderParams, *, seed: int = 0) -> None:
        from transformers import AutoModel, AutoTokenizer

        self.params = params
        self.seed = seed
        self._tokenizer: Any = AutoTokenizer.from_pretrained(student, local_files_only=True)
        self._model: Any = AutoModel.from_pretrained(student, local_files_only=True)

    @property
    def name(self) -> str:
        """The hash of all weights: another student, or one tuned otherwise, is another encoder."""
        digest = hashlib.sha256(self.params.model_dump_json().encode())
        for key, value in sorted(self._model.state_dict().items()):
            digest.update(key.encode())
            digest.update(value.detach().float().numpy().tobytes())
        return f"student {digest.hexdigest()[:16]}"

    def fit(self, pairs: Sequence[TextPair]) -> Self:
        """Tune the last layers so that a linear head on them prefers as `pairs` do."""
        import torch
        from peft import LoraConfig, get_peft_model

        if not pairs:
            raise RewardError("no preference pair to tune the encoder with\nGive some.")
        if not self.params.layers or not self.params.steps:
            return self
        torch.manual_seed(self.seed)
        count = int(self._model.config.num_hidden_layers)
        config = LoraConfig(
            r=self.params.rank,
            target_modules=list(LORA_LAYERS),
            layers_to_transform=list(range(max(count - self.params.layers, 0), count)),
            layers_pattern="layers",
        )
        tuned = get_peft_model(self._model, config)
        head = torch.zeros(int(self._model.config.hidden_size), requires_grad=True)
        learned = [head, *(one for one in tuned.parameters() if one.requires_grad)]
        optimiser = torch.optim.AdamW(learned, lr=self.params.rate)
        random = np.random.default_rng(self.seed)
        for _ in range(self.params.steps):
            batch = [pairs[row] for row in random.integers(len(pairs), size=self.params.batch)]
            better = self._states(tuned, [pair.chosen for pair in batch]) @ head
            worse = self._states(tuned, [pair.rejected for pair in batch]) @ head
            loss = torch.nn.functional.softplus(worse - better).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        self._model = tuned.merge_and_unload()
        return self

    def encode(self, texts: Sequence[Text]) -> Array:
        """Return an array (texts, width of the student)."""
        import torch

        found = []
        self._model.eval()
        with torch.no_grad():
            for start in range(0, len(texts), self.params.batch):
                part = texts[start : start + self.params.batch]
                found.append(self._states(self._model, part).double().numpy())
        return np.vstack(found)

    def _states(self, model: Any, texts: Sequence[Text]) -> torch.Tensor:
        """Return the state at the last token of each text (texts, width)."""
        import torch

        rows = [
            self._tokenizer(f"{text.prompt}\n{text.response}")["input_ids"][
                -self.params.max_tokens :
            ]
            for text in texts
        ]
        width = max(map(len, rows))
        tokens = torch.zeros((len(rows), width), dtype=torch.long)
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        for number, row in enumerate(rows):
            tokens[number, : len(row)] = torch.tensor(row)
            mask[number, : len(row)] = 1
        states = model(input_ids=tokens, attention_mask=mask).last_hidden_state
        ends = torch.tensor([len(row) - 1 for row in rows])
        found: torch.Tensor = states[torch.arange(len(rows)), ends]
        return found
