"""Claim: replies in batches come at least twice as fast as one by one, and are the same ones.

Tokens per second of the embedded model's students, against plain `generate` with a batch of 1; the
same prompts, greedy, at most 40 tokens each. Prompts are the sample's. Peak memory is of the
process that did the work.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.harness import ROOT, Measurement, Skipped, in_process, peak_mib, stopwatch

BASE = ROOT / "datasets/students/base_model"
EXCHANGES = ROOT / "datasets/exchanges.parquet"
ASKED, TOKENS = 16, 40


def run() -> list[Measurement]:
    """Measure ours, then plain generation, each in a fresh process."""
    if not BASE.is_dir() or not EXCHANGES.is_file():
        raise Skipped("the base model is not built (dvc repro base_model)")
    ours, plain = (in_process("benchmarks.student_generation", one) for one in ("ours", "plain"))
    same = sum(a == b for a, b in zip(ours["replies"], plain["replies"], strict=True))
    return [
        Measurement(
            "student_generation",
            ours["tokens"] / ours["seconds"],
            "tokens/s",
            rival="generate, batch 1",
            ratio=(ours["tokens"] / ours["seconds"]) / (plain["tokens"] / plain["seconds"]),
            rows=ASKED,
            peak_mib=ours["peak_mib"],
        ),
        Measurement("student_generation_equal_replies", same / ASKED, "share"),
    ]


def ours() -> dict[str, Any]:
    """Generate in batches of 16."""
    from pipeline.student.generate import GenerationParams, Generator

    model, tokenizer, talks = _setting()
    params = GenerationParams(max_new_tokens=TOKENS, repetition_penalty=1.0, batch_size=ASKED)
    generator = Generator(model, tokenizer, params)
    with stopwatch() as seconds:
        replies = [one[0] for one in generator.replies(talks, seed=0)]
        spent = seconds()
    return {
        "seconds": spent,
        "tokens": sum(one.tokens for one in replies),
        "replies": [one.text for one in replies],
        "peak_mib": peak_mib(),
    }


def plain() -> dict[str, Any]:
    """Generate one by one, as the documentation of transformers does."""
    import torch

    model, tokenizer, talks = _setting()
    texts, tokens = [], 0
    with stopwatch() as seconds, torch.inference_mode():
        for talk in talks:
            inputs = tokenizer.apply_chat_template(
                [one.model_dump() for one in talk],
                add_generation_prompt=True,
                return_tensors="pt",
                return_dict=True,
            )
            written = model.generate(**inputs, max_new_tokens=TOKENS, do_sample=False)
            answer = written[0, inputs["input_ids"].shape[1] :]
            texts.append(tokenizer.decode(answer, skip_special_tokens=True).strip())
            tokens += int((answer != tokenizer.eos_token_id).sum())
        spent = seconds()
    return {"seconds": spent, "tokens": tokens, "replies": texts, "peak_mib": peak_mib()}


def _setting() -> tuple[Any, Any, list[Any]]:
    import torch

    from pipeline.corpora.conversation import prompt_messages
    from pipeline.params import load_params
    from pipeline.records import Exchange
    from pipeline.storage import read_table
    from pipeline.student.adapters import load_model, load_tokenizer

    torch.set_num_threads(1)
    prompt = load_params(Path(ROOT / "params.yaml")).prompt
    exchanges = list(read_table(EXCHANGES, Exchange))[:ASKED]
    talks = [prompt_messages(one, prompt) for one in exchanges]
    return load_model(BASE, (), dtype="float32"), load_tokenizer(BASE), talks
