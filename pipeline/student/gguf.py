"""Llama models as GGUF files, which llama.cpp and its kin load; written with `gguf` alone."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import PipelineError
from pipeline.storage import AtomicFile

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
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def read_gguf(model: Any, path: Path) -> Any:
    """Return a copy of `model` with the weights of the file at `path`."""
    import torch
    from gguf import GGUFReader

    found = {one.name: np.array(one.data, dtype=np.float32) for one in GGUFReader(path).tensors}
    weights = {}
    for name, tensor, heads in _names(model):
        values = found[tensor]
        weights[name] = torch.from_numpy(_unrotated(values, heads) if heads else values)
    fresh = copy.deepcopy(model)
    fresh.load_state_dict(weights, strict=False)
    return fresh


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
    special = {one["content"] for one in state["added_tokens"] if one["special"]}
    tokens = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    kinds = [TokenType.CONTROL if one in special else TokenType.NORMAL for one in tokens]
    merges = state["model"].get("merges", [])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([one if isinstance(one, str) else " ".join(one) for one in merges])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.chat_template)


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


def _unrotated(values: Array, heads: int) -> Array:
    rows = values.shape[0]
    return values.reshape(heads, rows // heads // 2, 2, -1).swapaxes(1, 2).reshape(rows, -1)
