"""How a student is trained: the settings that both steps share."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.config import Section

Dtype = Literal["float32", "bfloat16"]
Device = Literal["auto", "cpu", "cuda"]


class TrainingParams(Section):
    """One step of training. The defaults are those that the paper's code states.

    What it leaves open is LLaMA-Factory's default where that is known: every linear layer, alpha
    twice the rank, no dropout. `top_layers` trains the last layers alone, which is cheaper since
    nothing is carried back through the others. `dtype` is that of the frozen weights; what is
    trained is always float32. `checkpoint_steps` bounds what a killed run loses.
    """

    lora_rank: int = Field(default=8, ge=1)
    lora_alpha: int = Field(default=16, ge=1)
    lora_dropout: float = Field(default=0.0, ge=0, lt=1)
    top_layers: int | None = Field(default=None, ge=1, description="layers; null: all")
    learning_rate: float = Field(default=5e-5, gt=0)
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    warmup_share: float = Field(default=0.0, ge=0, lt=1, description="share of the steps")
    epochs: int = Field(default=3, ge=1)
    max_steps: int | None = Field(default=None, ge=1, description="optimiser steps; null: all")
    batch_size: int = Field(default=2, ge=1, description="examples, or pairs")
    accumulation: int = Field(default=1, ge=1, description="batches per optimiser step")
    context: int = Field(default=1024, ge=16, description="tokens; longer examples are rejected")
    dtype: Dtype = "float32"
    device: Device = "auto"
    checkpoint_steps: int = Field(default=10, ge=1, description="optimiser steps")


class PreferenceParams(TrainingParams):
    """The second step; `beta` is the weight of the reference model in the loss."""

    beta: float = Field(default=0.1, gt=0)
