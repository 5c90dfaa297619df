"""Training rows as token ids; what does not fit is rejected, never cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.errors import GateFailedError, PipelineError
from pipeline.records import Message, PreferencePair, Rejection, SFTExample

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Encoded:
    """One row: the prompt's ids and those of its answers (one, or chosen and rejected)."""

    row_id: str
    prompt: tuple[int, ...]
    answers: tuple[tuple[int, ...], ...]

    @property
    def tokens(self) -> int:
        """The length of the longest sequence that it makes."""
        return len(self.prompt) + max(map(len, self.answers))


@dataclass(frozen=True)
class EncodedRows:
    """What is trained on, and what was not."""

    rows: tuple[Encoded, ...]
    rejections: tuple[Rejection, ...]


def encode_examples(
    rows: Iterable[SFTExample], tokenizer: PreTrainedTokenizerBase, *, context: int
) -> EncodedRows:
    """Encode supervised examples; the answer is the last message."""
    split = ((row.id, row.messages[:-1], (row.messages[-1:],)) for row in rows)
    return _encode(split, tokenizer, context=context, stage="train_sft")


def encode_pairs(
    rows: Iterable[PreferencePair], tokenizer: PreTrainedTokenizerBase, *, context: int
) -> EncodedRows:
    """Encode preference pairs; the answers are chosen and rejected, in this order."""
    split = ((row.id, row.prompt, (row.chosen, row.rejected)) for row in rows)
    return _encode(split, tokenizer, context=context, stage="train_dpo")


def encode_prompt(
    messages: Sequence[Message], tokenizer: PreTrainedTokenizerBase
) -> tuple[int, ...]:
    """Return the ids of a conversation, up to where the answer begins."""
    require_chat_template(tokenizer)
    return _ids(messages, tokenizer, ask=True)


def require_chat_template(tokenizer: PreTrainedTokenizerBase) -> None:
    """Raise PipelineError for a tokenizer that cannot render a conversation."""
    if not tokenizer.chat_template:
        raise PipelineError(
            f"{tokenizer.name_or_path}: this tokenizer has no chat template\n"
            "Use an instruction-tuned base model, or put its template into the model's folder as "
            "chat_template.jinja."
        )


def _encode(
    rows: Iterable[tuple[str, Sequence[Message], tuple[Sequence[Message], ...]]],
    tokenizer: PreTrainedTokenizerBase,
    *,
    context: int,
    stage: str,
) -> EncodedRows:
    require_chat_template(tokenizer)
    kept: list[Encoded] = []
    rejections: list[Rejection] = []
    for row_id, prompt, answers in rows:
        opening = _ids(prompt, tokenizer, ask=True)
        whole = [_ids([*prompt, *answer], tokenizer, ask=False) for answer in answers]
        reason = detail = ""
        if any(ids[: len(opening)] != opening for ids in whole):
            reason = "prompt_not_a_prefix"
            detail = "the chat template renders the prompt differently with an answer"
        elif (longest := max(map(len, whole))) > context:
            reason, detail = "too_long", f"{longest} tokens, context {context}"
        if reason:
            rejections.append(
                Rejection(record_id=row_id, stage=stage, reason=reason, detail=detail)
            )
        else:
            kept.append(Encoded(row_id, opening, tuple(ids[len(opening) :] for ids in whole)))
    if not kept:
        raise GateFailedError(
            f"{stage}: there is nothing to train on: {_why_nothing(rejections)}\n"
            "Look at the corpus; `too_long` is mended by a larger `context`."
        )
    return EncodedRows(tuple(kept), tuple(rejections))


def _why_nothing(rejections: Sequence[Rejection]) -> str:
    if not rejections:
        return "the corpus is empty"
    reasons, first = sorted({one.reason for one in rejections}), rejections[0]
    return (
        f"all {len(rejections)} rows were rejected ({', '.join(reasons)}), as "
        f"{first.record_id}: {first.detail}"
    )


def _ids(
    messages: Sequence[Message], tokenizer: PreTrainedTokenizerBase, *, ask: bool
) -> tuple[int, ...]:
    encoded: Any = tokenizer.apply_chat_template(
        [message.model_dump() for message in messages],
        add_generation_prompt=ask,
        tokenize=True,
        return_dict=True,
    )
    return tuple(encoded["input_ids"])
