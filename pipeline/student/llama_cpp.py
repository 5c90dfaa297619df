"""llama.cpp, asked about a GGUF file: it must read and say what the student itself does.

A file that some reader of ours understands is no file that others can use. So the engine that
people will run it with is started, and given the same texts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pipeline.llm.local_server import LocalServer

# What tokenizers differ in: figures, fractions, white space, other scripts, signs.
TEXTS = (
    "I have to tell someone about my day.",
    "I've waited 1234 days,  and it's still NOT over!\n\n\tWhat now?",
    "½ of 3.50 $, 2nd, ²³ Ⅷ ٣٤",
    " naïve émigré, it’s 日本語 😀 ",
)
WORRIES = (
    "My dog ran off this morning and nobody has seen him.",
    "I failed the exam for the 3rd time. What is wrong with me?",
    "We won the match, and I cannot stop smiling!",
    "She moved away last week. The house is so quiet.",
)
NEXT_TOKENS, LIKELIEST = 24, 10


@dataclass(frozen=True)
class EngineCheck:
    """What llama.cpp made of the file.

    `same` of `asked` times it named the student's own likeliest next token; `difference` is the
    greatest one between its log-probabilities of the likeliest tokens and the student's.
    """

    asked: int
    same: int
    difference: float


def check_gguf(path: Path, model: Any, tokenizer: Any) -> EngineCheck:
    """Compare what llama.cpp reads and says with `model` and `tokenizer`.

    Raises PipelineError if a text becomes other tokens, or a conversation another text, there.
    """
    return asyncio.run(_check(path, model.eval(), tokenizer))


async def _check(path: Path, model: Any, tokenizer: Any) -> EngineCheck:
    asked, same, differences = 0, 0, []
    async with _engine(path) as engine:
        talks = [[{"role": "user", "content": worry}] for worry in WORRIES]
        prompts = [_rendered(engine, talk, tokenizer) for talk in talks]
        for text in (*TEXTS, *prompts):
            _require_same_ids(engine, text, tokenizer)
        for prompt in prompts:
            ids = tokenizer.encode(prompt)
            steps = _greedy(engine, ids)
            found, apart = _compare(model, ids, steps)
            asked, same = asked + len(steps), same + found
            differences.append(apart)
    return EngineCheck(asked, same, max(differences))


@asynccontextmanager
async def _engine(path: Path) -> AsyncIterator[LocalServer]:
    from pipeline.llm.local_server import LocalServer

    log = path.with_name("llama_cpp.log")
    server = await LocalServer.start(path, log=log, parallel=1)
    try:
        yield server
    finally:
        server.stop()
    log.unlink()


def _rendered(engine: LocalServer, talk: Sequence[dict[str, str]], tokenizer: Any) -> str:
    ours: str = tokenizer.apply_chat_template(talk, add_generation_prompt=True, tokenize=False)
    theirs = _post(engine, "/apply-template", {"messages": talk})["prompt"]
    if ours != theirs:
        raise PipelineError(
            f"llama.cpp renders a conversation as {theirs!r}, the student was asked {ours!r}\n"
            "Its chat template says more than llama.cpp understands: export the student merged."
        )
    return ours


def _require_same_ids(engine: LocalServer, text: str, tokenizer: Any) -> None:
    ours = tokenizer.encode(text)
    asked = {"content": text, "add_special": True, "parse_special": True}
    theirs = _post(engine, "/tokenize", asked)["tokens"]
    if ours != theirs:
        raise PipelineError(
            f"llama.cpp reads {text!r} as the tokens {theirs}, the student as {ours}\n"
            "Its tokenizer is none that GGUF files of ours can carry: export the student merged."
        )


def _greedy(engine: LocalServer, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the tokens that llama.cpp says after `ids`, each with the likeliest in its place."""
    asked = {
        "prompt": list(ids),
        "n_predict": NEXT_TOKENS,
        "n_probs": LIKELIEST,
        "temperature": 0,
        "cache_prompt": False,
    }
    found: list[dict[str, Any]] = _post(engine, "/completion", asked)["completion_probabilities"]
    return found


def _compare(model: Any, ids: Sequence[int], steps: Sequence[dict[str, Any]]) -> tuple[int, float]:
    """Return how many of the tokens `model` would have said as well, and the greatest difference.

    The model is given what llama.cpp said before, so one other token does not spoil the next ones.
    """
    import torch

    said = [step["id"] for step in steps]
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([[*ids, *said]])).logits[0, len(ids) - 1 : -1]
    ours = logits.float().log_softmax(-1)
    same = sum(int(row.argmax()) == token for row, token in zip(ours, said, strict=True))
    apart = max(
        abs(float(row[one["id"]]) - one["logprob"])
        for row, step in zip(ours, steps, strict=True)
        for one in step["top_logprobs"]
    )
    return same, apart


def _post(engine: LocalServer, path: str, body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = engine.ask("POST", path, body, timeout_s=120)
    return found
