"""Replies of a model: the same prompt, decoding, stop and length cap for whoever is compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from pipeline.config import Section
from pipeline.progress import track
from pipeline.student.device import choose_device
from pipeline.student.encoding import encode_prompt
from pipeline.student.params import Device, Dtype

if TYPE_CHECKING:
    from pipeline.records import Message


class GenerationParams(Section):
    """How replies are written; one section for all models, so that none is handicapped.

    `temperature` 0 takes the likeliest token. `repetition_penalty` divides the odds of what the
    reply said before, never of the prompt's words, which a listener may well repeat; 1 is none. A
    reply ends at the
    end of the turn or at `max_new_tokens`. `batch_size` conversations of similar length are
    answered at once.
    """

    max_new_tokens: int = Field(default=80, ge=1, description="tokens")
    temperature: float = Field(default=0.0, ge=0, le=2)
    top_p: float = Field(default=1.0, gt=0, le=1)
    repetition_penalty: float = Field(default=1.1, ge=1, le=2)
    batch_size: int = Field(default=16, ge=1, description="conversations")
    dtype: Dtype = "float32"
    device: Device = "auto"


@dataclass(frozen=True)
class Reply:
    """One reply; `is_cut` if the length cap ended it, not the model."""

    text: str
    is_cut: bool
    tokens: int


class Generator:
    """A loaded model that answers conversations in batches."""

    def __init__(self, model: Any, tokenizer: Any, params: GenerationParams) -> None:
        self.device = choose_device(params.device)
        self._model = model.to(self.device).eval()
        self._tokenizer = tokenizer
        self._params = params
        self._stops = _stop_ids(model, tokenizer)

    def count(self, conversation: Sequence[Message]) -> int:
        """Return how many tokens the prompt of `conversation` has."""
        return len(encode_prompt(conversation, self._tokenizer))

    def replies(
        self, conversations: Sequence[Sequence[Message]], *, seed: int, samples: int = 1
    ) -> list[list[Reply]]:
        """Return `samples` replies to each conversation, in order.

        Batches are made of conversations of similar length; each draws from a seed of its own, so
        a reply does not depend on what was generated before its batch.
        """
        prompts = [encode_prompt(one, self._tokenizer) for one in conversations]
        size = max(1, self._params.batch_size // samples)
        found: list[list[Reply]] = [[] for _ in prompts]
        batches = list(_length_buckets(prompts, size))
        for number, batch in enumerate(track(batches, "generating", total=len(batches))):
            texts = self._answer([prompts[at] for at in batch], seed + number, samples)
            for place, at in enumerate(batch):
                found[at] = texts[place * samples : (place + 1) * samples]
        return found

    def _answer(self, prompts: Sequence[Sequence[int]], seed: int, samples: int) -> list[Reply]:
        import torch

        width = max(map(len, prompts))
        pad = self._tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (width - len(one)) + list(one) for one in prompts])
        mask = torch.tensor([[0] * (width - len(one)) + [1] * len(one) for one in prompts])
        torch.manual_seed(seed)
        with torch.inference_mode():
            written = self._model.generate(
                input_ids=ids.to(self.device),
                attention_mask=mask.to(self.device),
                num_return_sequences=samples,
                max_new_tokens=self._params.max_new_tokens,
                logits_processor=self._penalty(width),
                pad_token_id=pad,
                eos_token_id=self._stops,
                **_decoding(self._params),
            )
        return [self._reply(row) for row in written[:, width:].tolist()]

    def _penalty(self, width: int) -> Any:
        from transformers import LogitsProcessorList, RepetitionPenaltyLogitsProcessor

        penalty = self._params.repetition_penalty
        if penalty == 1:
            return None
        return LogitsProcessorList(
            [RepetitionPenaltyLogitsProcessor(penalty, prompt_ignore_length=width)]
        )

    def _reply(self, ids: Sequence[int]) -> Reply:
        end = next((at for at, one in enumerate(ids) if one in self._stops), None)
        kept = ids if end is None else ids[:end]
        text = self._tokenizer.decode(kept, skip_special_tokens=True).strip()
        return Reply(text=text, is_cut=end is None, tokens=len(kept))


def _decoding(params: GenerationParams) -> dict[str, Any]:
    if params.temperature == 0:
        return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    return {
        "do_sample": True,
        "temperature": params.temperature,
        "top_p": params.top_p,
        "top_k": 0,
    }


def _stop_ids(model: Any, tokenizer: Any) -> list[int]:
    """Return the ids that end a turn: those of the tokenizer, and those the model names."""
    named = model.generation_config.eos_token_id
    ids = {tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])}
    return sorted(one for one in ids if one is not None)


def _length_buckets(prompts: Sequence[Sequence[int]], size: int) -> Iterator[list[int]]:
    order: Iterable[int] = sorted(range(len(prompts)), key=lambda at: len(prompts[at]))
    places = list(order)
    for start in range(0, len(places), size):
        yield places[start : start + size]
