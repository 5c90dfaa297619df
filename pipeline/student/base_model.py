"""The base model: a plain folder of safetensors with a tokenizer, whatever it came from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config import Section
from pipeline.errors import MissingFileError, PipelineError
from pipeline.storage import AtomicFolder, file_sha256, read_json, read_json_as, write_json
from pipeline.student.saving import saving

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

EMBEDDED = "embedded"
CARD = "base_model.json"
WEIGHTS = "model.safetensors"


class _BaseFacts(Section):
    """What a base model's folder says about it."""

    name: str
    licence: str
    sha256: str
    parameters: int
    layers: int


def dequantise(gguf: Path, out: Path, *, name: str, licence: str) -> None:
    """Write the quantised model `gguf` as float32 safetensors, with its tokenizer, to `out`.

    A quantised model can be run and not trained; this takes most of a minute, so it is a stage.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    folder, file = str(gguf.parent), gguf.name
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        gguf_file=file,
        dtype=torch.float32,
        quantization_config=GgufConfig(dequantize=True),
    )
    model.config.name_or_path = name
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    # The file names the end-of-text token only; a turn of its chat template ends with this one.
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    save_base(model, tokenizer, out, name=name, licence=licence)


def copy_model(source: str, out: Path, *, licence: str) -> None:
    """Write the model in the folder, or with the hub id, `source` to `out` as safetensors.

    Remote code is never run. Raises PipelineError where there is no such model.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = Path(source)
    if not path.is_dir() and (source.startswith((".", "/", "~")) or source.count("/") != 1):
        raise MissingFileError(
            path, hint="Set base_model.source to `embedded`, a model's folder or an id of the hub."
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            source, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise PipelineError(
            f"base model {source}: cannot be loaded ({first})\n"
            "It must hold config.json, a tokenizer and safetensors, and need no code of its own; "
            "ids of the hub need HF_HUB_OFFLINE=0 and a connection."
        ) from error
    save_base(model, tokenizer, out, name=source, licence=licence)


def save_base(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    out: Path,
    *,
    name: str,
    licence: str,
) -> None:
    """Write a loaded model and its card to the folder `out`, at once or not at all."""
    with AtomicFolder(out, what="base model", known=_is_base) as folder:
        write_base(model, tokenizer, folder, name=name, licence=licence)


def write_base(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    *,
    name: str,
    licence: str,
) -> None:
    """Write a loaded model and its card into `folder`, file by file."""
    with saving("the model", folder):
        model.save_pretrained(folder, max_shard_size="1TB")
        tokenizer.save_pretrained(folder)
    write_json(
        folder / CARD,
        {
            "name": name,
            "licence": licence,
            "sha256": file_sha256(folder / WEIGHTS),
            "parameters": sum(one.numel() for one in model.parameters()),
            "layers": model.config.num_hidden_layers,
        },
    )


def _is_base(folder: Path) -> bool:
    """Return whether `folder` holds our card of a model; it had no marker at first."""
    card = folder / CARD
    facts = read_json(card) if card.is_file() else None
    ours = {"name", "licence", "sha256", "parameters", "layers"}
    return isinstance(facts, dict) and facts.keys() == ours and (folder / WEIGHTS).is_file()


def read_base(folder: Path) -> dict[str, Any]:
    """Return the facts about the base model in `folder`, or say that there is none."""
    if not (folder / CARD).is_file() or not (folder / WEIGHTS).is_file():
        raise MissingFileError(
            folder / CARD, hint="Make the base model first: dvc repro base_model"
        )
    hint = "Make it again: dvc repro base_model"
    return read_json_as(folder / CARD, _BaseFacts, hint=hint).model_dump()
