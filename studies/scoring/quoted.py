"""What the scoring paper says of language models that were asked for the rating itself."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.statistics.intervals import wilson

# Right of 384. Neither their answers nor the tuned model were released, so these are quoted and not
# reproduced.
QUOTED = {
    "naive prompt: gpt-4o-mini": 179,
    "tuned on the training part: gpt-4o-mini": 210,
}
QUOTED_OF = 384


def quoted() -> Iterator[dict[str, object]]:
    """Yield the paper's figures of language models as rows; `quoted` marks them."""
    for name, right in QUOTED.items():
        features, _, model = name.partition(": ")
        low, high = wilson(right / QUOTED_OF, QUOTED_OF)
        yield {
            "features": features,
            "model": model,
            "splits": 1,
            "metric": "accuracy",
            "mean": right / QUOTED_OF,
            "ci": [low, high],
            "quoted": True,
        }
