"""TRL's trainers and `datasets` take the built files as they are."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from pipeline.exports.export import export_corpora
from pipeline.storage import count_rows
from tests.exports.corpus import plain_card

pytestmark = pytest.mark.slow

SFT = Path("datasets/sft/direct-all_together.parquet")
STRICT = Path("datasets/preferences/strict/direct-all_together.parquet")
AUTHORS = Path("datasets/preferences/authors/direct-all_together.parquet")
CHAT = (
    "{% for m in messages %}<{{ m['role'] }}> {{ m['content'] }} </s> {% endfor %}"
    "{% if add_generation_prompt %}<assistant> {% endif %}"
)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """Return a tokenizer of a few words: all others are unknown to it."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = ["<unk>", "<s>", "</s>", "<pad>", "<", ">", "user", "assistant", "i", "you", "the"]
    model = models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>")
    plain = Tokenizer(model)
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=plain,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
    )
    fast.chat_template = CHAT
    return fast


@pytest.fixture
def model(tokenizer: Any) -> Any:
    """Return a Llama of one layer."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=1024,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def load(build: Path, file: Path, cache: Path) -> Any:
    """Load a built file as anybody would."""
    from datasets import load_dataset

    found = load_dataset("parquet", data_files=str(build / file), cache_dir=str(cache))
    return found["train"]


def one_step(folder: Path) -> dict[str, Any]:
    return {
        "output_dir": str(folder / "out"),
        "max_steps": 1,
        "per_device_train_batch_size": 2,
        "max_length": 512,
        "bf16": False,
        "gradient_checkpointing": False,
        "use_cpu": True,
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
        "seed": 1,
    }


@pytest.mark.parametrize("file", [SFT, STRICT, AUTHORS], ids=lambda file: file.parent.name)
def test_datasets_reads_every_row(sample_build: Path, tmp_path: Path, file: Path) -> None:
    assert len(load(sample_build, file, tmp_path)) == count_rows(sample_build / file)


def test_the_columns_are_those_that_trl_documents(sample_build: Path, tmp_path: Path) -> None:
    sft, pairs = (load(sample_build, file, tmp_path) for file in (SFT, STRICT))

    assert [one["role"] for one in sft[0]["messages"]] == ["user", "assistant"]
    assert [one["role"] for one in pairs[0]["prompt"]] == ["user"]
    assert [one["role"] for one in pairs[0]["chosen"]] == ["assistant"]
    assert [one["role"] for one in pairs[0]["rejected"]] == ["assistant"]


@pytest.fixture(scope="module")
def exported(sample_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the corpus as `distillery export --format trl` writes it."""
    out = tmp_path_factory.mktemp("export") / "out"
    name = "direct-all_together"
    export_corpora(sample_build, [name], out, format_name="trl", card=plain_card)
    return out


def test_the_trainers_take_a_step_on_an_export(
    exported: Path, tmp_path: Path, model: Any, tokenizer: Any
) -> None:
    from datasets import load_dataset
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    def rows(config: str) -> Any:
        return load_dataset(str(exported), config, split="train", cache_dir=str(tmp_path / "c"))

    sft = SFTTrainer(
        model=deepcopy(model),
        args=SFTConfig(**one_step(tmp_path)),
        train_dataset=rows("sft"),
        processing_class=tokenizer,
    )
    dpo = DPOTrainer(
        model=model,
        ref_model=deepcopy(model),
        args=DPOConfig(**one_step(tmp_path)),
        train_dataset=rows("preferences_strict"),
        processing_class=tokenizer,
    )
    labels = next(iter(sft.get_train_dataloader()))["labels"]

    # The loss is that of the completion: what was asked is left out.
    assert (labels[0] == -100).any()
    assert 0 < sft.train().training_loss < 10
    assert dpo.train().training_loss == pytest.approx(0.6931, abs=1e-3)


def test_the_sft_trainer_takes_a_step(
    sample_build: Path, tmp_path: Path, model: Any, tokenizer: Any
) -> None:
    from trl import SFTConfig, SFTTrainer

    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(**one_step(tmp_path)),
        train_dataset=load(sample_build, SFT, tmp_path),
        processing_class=tokenizer,
    )

    assert 0 < trainer.train().training_loss < 10


def test_the_dpo_trainer_takes_a_step(
    sample_build: Path, tmp_path: Path, model: Any, tokenizer: Any
) -> None:
    from trl import DPOConfig, DPOTrainer

    trainer = DPOTrainer(
        model=model,
        ref_model=deepcopy(model),
        args=DPOConfig(**one_step(tmp_path)),
        train_dataset=load(sample_build, STRICT, tmp_path),
        processing_class=tokenizer,
    )

    # Policy and reference are the same before the first step, so its loss is ln 2.
    assert trainer.train().training_loss == pytest.approx(0.6931, abs=1e-3)
