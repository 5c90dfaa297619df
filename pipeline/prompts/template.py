"""A prompt is a YAML file with declared variables, rendered by Jinja2.

Text from data goes in as a variable and is never parsed as a template, so braces in it stay
braces. Nor can it leave the marks around it: where it imitates one of the template's marks, or a
chat model's control token, that one `<` is written `&lt;`. A template's id is its name and a hash
of everything that shapes its text (includes too): an edited prompt is another prompt.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateError, meta
from pydantic import Field, ValidationError

from pipeline.config import Section
from pipeline.errors import PipelineError
from pipeline.records import NonBlank
from pipeline.yaml_files import NotYamlError, parse_yaml, read_yaml

TEMPLATES = Path(__file__).parent / "templates"


class PromptError(PipelineError):
    """A template file is not a template, or a variable is missing."""


class PromptTemplate(Section):
    """One prompt: `source` says what it does and which paper it follows."""

    name: NonBlank
    source: NonBlank
    variables: tuple[str, ...] = Field(min_length=1)
    text: NonBlank

    @property
    def id(self) -> str:
        """`family/name@` and 12 hex digits of the text with its includes spelled out."""
        return f"{self.name}@{_digest(self.text, _folder(self.name))}"

    @property
    def spelled_out(self) -> str:
        """The template's text with that of its includes."""
        return _spelled_out(self.text, _folder(self.name))

    def render(self, **variables: str) -> str:
        """Fill in the variables, exactly the declared ones."""
        given, declared = set(variables), set(self.variables)
        if given != declared:
            missing, unknown = sorted(declared - given), sorted(given - declared)
            raise PromptError(f"prompt {self.name}: missing {missing}, unknown {unknown}")
        folder = _folder(self.name)
        marks = _marks(self.text, folder)
        held = {name: marks.sub("&lt;", value) for name, value in variables.items()}
        return _compiled(self.text, folder).render(**held).strip()


@cache
def load_template(name: str) -> PromptTemplate:
    """Load `templates/<name>.yaml`; `name` is `family/prompt`.

    `package:family/prompt` is in the folder `templates` of an installed package, and may include
    the files of ours.
    """
    folder = _folder(name)
    path = folder / f"{name.rpartition(':')[2]}.yaml"
    if not path.is_file():
        known = sorted(
            str(found.relative_to(folder).with_suffix("")) for found in folder.rglob("*.yaml")
        )
        raise PromptError(f"prompt {name}: no such template\nThere are: {', '.join(known)}")
    try:
        fields = read_yaml(path)
        template = PromptTemplate.model_validate({"name": name, **fields})
        used = meta.find_undeclared_variables(
            _environment(folder).parse(_spelled_out(template.text, folder))
        )
    except (NotYamlError, ValidationError, TypeError, TemplateError, OSError) as error:
        raise PromptError(f"{path.name}: not a prompt template: {error}") from error
    if used != set(template.variables):
        raise PromptError(
            f"{path.name}: declares {sorted(template.variables)} but uses {sorted(used)}"
        )
    return template


@cache
def prompt_texts() -> tuple[str, ...]:
    """Return the words of every template and included file, without variables and tags."""
    files = sorted(path for path in TEMPLATES.rglob("*") if path.suffix in (".yaml", ".txt"))
    read = [path.read_text(encoding="utf-8") for path in files]
    texts = [
        str(parse_yaml(text, path)["text"]) if path.suffix == ".yaml" else text
        for path, text in zip(files, read, strict=True)
    ]
    # A break keeps words on both sides of a variable from becoming one run.
    pieces = (re.split(r"\{\{.*?\}\}|\{%.*?%\}|</?\w+>", text, flags=re.DOTALL) for text in texts)
    return tuple(piece.strip() for text in pieces for piece in text if piece.strip())


def _folder(name: str) -> Path:
    """Return the folder of templates that a name means."""
    package, colon, _ = name.partition(":")
    if not colon:
        return TEMPLATES
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise PromptError(f"prompt {name}: no installed package {package!r} with a folder")
    return Path(spec.submodule_search_locations[0]) / "templates"


@cache
def _compiled(text: str, folder: Path) -> Template:
    return _environment(folder).from_string(text)


@cache
def _marks(text: str, folder: Path) -> re.Pattern[str]:
    """Return what matches the `<` of one of the template's marks, or of `<|token|>`."""
    names = sorted(set(re.findall(r"</(\w+)>", _spelled_out(text, folder))))
    mark = rf"\s*/?\s*(?:{'|'.join(names)})\b|" if names else ""
    return re.compile(rf"<(?={mark}\|)", re.IGNORECASE)


@cache
def _digest(text: str, folder: Path) -> str:
    return hashlib.sha256(_spelled_out(text, folder).encode()).hexdigest()[:12]


@cache
def _environment(folder: Path) -> Environment:
    # A prompt is plain text for a model, so nothing is escaped for HTML.
    return Environment(
        loader=FileSystemLoader([folder, TEMPLATES]),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701
    )


def _spelled_out(text: str, folder: Path) -> str:
    """Return `text` with the text of each file that it includes behind it."""
    environment = _environment(folder)
    tree = environment.parse(text)
    included = sorted(str(name) for name in meta.find_referenced_templates(tree))
    loader = FileSystemLoader([folder, TEMPLATES])
    files = {name: loader.get_source(environment, name)[0] for name in included}
    return text + "".join(f"\n{name}\n{content}" for name, content in files.items())
