"""`distillery chat`, `serve`, `export-student`: use a trained student."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.student.serve import Talker
    from pipeline.student.students import Student

Model = Annotated[
    str, typer.Argument(help="corpus/step, base_model, or the folder of an adapter or a model")
]
Base = Annotated[Path | None, typer.Option(help="folder of the base model")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    for command in (chat, serve, export_student):
        app.command(command.__name__.replace("_", "-"))(command)


def chat(model: Model, base: Base = None) -> None:
    """Talk with a student in the terminal; each thing you say is a conversation of its own."""
    import sys

    from pipeline.cli.console import note, say
    from pipeline.corpora.conversation import prompt_messages
    from pipeline.params import load_params
    from pipeline.records import Exchange, Lineage, RawLocation
    from pipeline.student.serve import ChatRequest

    talker, params = _talker(model, base), load_params()
    note(f"{talker.name}: what happened? An empty line ends.")
    for line in sys.stdin:
        if not line.strip():
            break
        exchange = Exchange(
            id="chat",
            dialogue_id="chat",
            situation="",
            utterance=line.strip(),
            raw=RawLocation(file="terminal", row=1),
            lineage=Lineage(source="terminal", licence="none stated", operation="chat"),
        )
        messages = prompt_messages(exchange, params.prompt)
        (reply,) = talker.answer(ChatRequest(messages=messages))
        say(reply.text or "(nothing)")


def serve(
    model: Model,
    port: Annotated[int, typer.Option(help="0: any free one", min=0, max=65535)] = 8765,
    base: Base = None,
) -> None:
    """Serve a student on 127.0.0.1 by OpenAI's protocol: /v1/chat/completions, /v1/models."""
    from pipeline.cli.console import note
    from pipeline.loopback import LOOPBACK
    from pipeline.student.serve import answer_with, bind

    server = bind(port)
    talker = _talker(model, base)
    note(f"{talker.name} at http://{LOOPBACK}:{server.server_port}/v1 (interrupt to stop)")
    answer_with(server, talker)


def export_student(
    model: Model,
    out: Annotated[Path, typer.Option(help="a new folder")],
    form: Annotated[str, typer.Option("--format", help="adapters, merged or gguf")] = "merged",
    base: Base = None,
) -> None:
    """Write a student as adapters, one merged model or GGUF, with its card; each is checked."""
    from pipeline.cli.console import note
    from pipeline.errors import PipelineError
    from pipeline.student import export

    chosen = next((one for one in export.FORMATS if one == form), None)
    if chosen is None:
        raise PipelineError(f"--format {form}: not known\nUse one of: {', '.join(export.FORMATS)}")
    done = export.export_student(_student(model, base), out, chosen)
    note(f"{done.folder}: {done.finding}")


def _student(model: str, base: Path | None) -> Student:
    from pipeline.errors import PipelineError
    from pipeline.student.adapters import FACTS
    from pipeline.student.base_model import CARD
    from pipeline.student.device import quiet_libraries
    from pipeline.student.students import BASE, STUDENTS, find_student

    quiet_libraries()
    folder = Path(model) if Path(model).is_dir() else STUDENTS / model
    if not folder.is_dir():
        there = sorted(
            str(one.parent.relative_to(STUDENTS))
            for file in (CARD, FACTS)
            for one in STUDENTS.rglob(file)
        )
        raise PipelineError(
            f"{model}: no student of this name, no folder\n"
            f"There are: {', '.join(there) or 'none yet; train one: dvc repro train_dpo'}"
        )
    return find_student(folder, base=base or BASE)


def _talker(model: str, base: Path | None) -> Talker:
    from pipeline.cli.console import note
    from pipeline.params import load_params
    from pipeline.student.adapters import load_model, load_tokenizer
    from pipeline.student.device import choose_device, describe_device
    from pipeline.student.serve import Talker

    student, params = _student(model, base), load_params().generate
    note(f"loading {student.model_id} on {describe_device(choose_device(params.device))}")
    loaded = load_model(student.base, student.adapters, dtype=params.dtype)
    return Talker(
        loaded,
        load_tokenizer(student.base),
        params,
        name=student.name,
        context=loaded.config.max_position_embeddings,
    )
