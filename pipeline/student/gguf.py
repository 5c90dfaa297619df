"""Llama models as GGUF files, which llama.cpp and its kin load; written with `gguf` alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import PipelineError
from pipeline.storage import AtomicFile
from pipeline.student.saving import saving

Array = np.ndarray[Any, Any]

_PER_LAYER = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
# What the steps of a byte-level tokenizer are called there. One that transformers read from a GGUF
# file has lost its first step; what the student was trained on is what it must be asked with.
_PRE_TOKENIZERS = {("ByteLevel",): "gpt-2", ("Digits", "ByteLevel"): "smollm"}
_WHOLE = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
}


def write_gguf(model: Any, tokenizer: Any, out: Path, *, name: str) -> None:
    """Write a Llama with a byte-level tokenizer to `out`, matrices in float16."""
    from gguf import GGUFWriter, LlamaFileType

    if model.config.model_type != "llama":
        raise PipelineError(
            f"{name}: GGUF is written for Llama models, this one is {model.config.model_type}\n"
            "Export it merged, and convert that with llama.cpp's own program."
        )
    with AtomicFile(out) as part:
        writer = GGUFWriter(str(part), "llama")
        writer.add_name(name)
        writer.add_file_type(int(LlamaFileType.MOSTLY_F16))
        _add_shape(writer, model.config)
        _add_tokenizer(writer, tokenizer)
        for tensor, values in _tensors(model):
            keep = values.ndim == 1
            writer.add_tensor(tensor, values.astype(np.float32 if keep else np.float16))
        with saving("the GGUF file", out):
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
            writer.close()


def _add_shape(writer: Any, config: Any) -> None:
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_vocab_size(config.vocab_size)


def _add_tokenizer(writer: Any, tokenizer: Any) -> None:
    """Write the vocabulary, its merges and the chat template."""
    import json

    from gguf import TokenType

    state = json.loads(tokenizer.backend_tokenizer.to_str())
    added = {one["content"]: one["special"] for one in state["added_tokens"]}
    kinds = {True: TokenType.CONTROL, False: TokenType.USER_DEFINED}
    tokens = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    merges = state["model"].get("merges", [])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_pre_tokenizer(state["pre_tokenizer"], tokenizer.name_or_path))
    writer.add_token_list(tokens)
    writer.add_token_types(
        [kinds[added[one]] if one in added else TokenType.NORMAL for one in tokens]
    )
    writer.add_token_merges([one if isinstance(one, str) else " ".join(one) for one in merges])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.chat_template)


def _pre_tokenizer(state: dict[str, Any] | None, name: str) -> str:
    """Return llama.cpp's name for how text is cut before its bytes are merged."""
    steps = (state or {}).get("pretokenizers", [state])
    found = tuple(step["type"] if step else "none" for step in steps)
    if found not in _PRE_TOKENIZERS:
        raise PipelineError(
            f"{name}: GGUF is written for byte-level tokenizers, this one cuts text by "
            f"{' and '.join(found)}\nExport it merged, and convert that with llama.cpp's program."
        )
    return _PRE_TOKENIZERS[found]


def _names(model: Any) -> Iterator[tuple[str, str, int]]:
    """Yield (our name, name in the file, heads whose halves llama.cpp interleaves, else 0)."""
    config = model.config
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    tied = config.tie_word_embeddings
    for ours, theirs in _WHOLE.items():
        if not (tied and ours == "lm_head"):
            yield f"{ours}.weight", f"{theirs}.weight", 0
    for layer in range(config.num_hidden_layers):
        for ours, theirs in _PER_LAYER.items():
            name = f"model.layers.{layer}.{ours}.weight"
            yield name, f"blk.{layer}.{theirs}.weight", heads.get(theirs, 0)


def _tensors(model: Any) -> Iterator[tuple[str, Array]]:
    weights = model.state_dict()
    for name, tensor, heads in _names(model):
        values = weights[name].float().numpy()
        yield tensor, np.ascontiguousarray(_rotated(values, heads) if heads else values)


def _rotated(values: Array, heads: int) -> Array:
    """Interleave the two halves of each head: llama.cpp turns neighbours, not halves."""
    rows = values.shape[0]
    return values.reshape(heads, 2, rows // heads // 2, -1).swapaxes(1, 2).reshape(rows, -1)
