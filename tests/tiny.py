"""A tiny Llama with a tiny tokenizer, made in a second: it learns nothing and trains like any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.records import PreferencePair, SFTExample
from tests.examples import message, pair, sft_example

CHAT = (
    "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
ROLES = ("<user>", "<assistant>", "<system>")


def tiny_tokenizer() -> Any:
    """Return a tokenizer of bytes with one merge and a chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = ["<unk>", "<s>", "</s>", *ROLES, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    vocabulary = {word: at for at, word in enumerate([*words, "qu"])}
    plain = Tokenizer(models.BPE(vocabulary, [("q", "u")], unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=plain,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="</s>",
        additional_special_tokens=list(ROLES),
    )
    fast.chat_template = CHAT
    return fast


def tiny_base(folder: Path, *, seed: int = 0, layers: int = 2, context: int = 512) -> Path:
    """Write a base model of a few thousand weights to `folder`."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from pipeline.student.base_model import save_base

    tokenizer = tiny_tokenizer()
    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=layers,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=context,
            tie_word_embeddings=True,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    save_base(model, tokenizer, folder, name=f"tiny-{seed}", licence="Apache-2.0")
    return folder


WORRIES = ("my dog ran off", "no one came", "i failed again", "she moved away", "we lost the match")
KIND = ("that must hurt, tell me more.", "oh no. i am here.", "how are you now?")
COLD = ("so what.", "just get over it and go on.", "it could be much worse, you know.")


def examples(count: int) -> list[SFTExample]:
    """Return supervised examples of several lengths."""
    return [
        sft_example(
            f"sft-{at}",
            message("user", f"{WORRIES[at % 5]} {'again ' * (at % 4)}{at}"),
            message("assistant", KIND[at % 3]),
        )
        for at in range(count)
    ]


def pairs(count: int) -> list[PreferencePair]:
    """Return preference pairs of several lengths."""
    return [
        pair(KIND[at % 3], COLD[(at + at // 3) % 3]).model_copy(
            update={"id": f"pair-{at}", "prompt": (message("user", f"{WORRIES[at % 5]} {at}"),)}
        )
        for at in range(count)
    ]
