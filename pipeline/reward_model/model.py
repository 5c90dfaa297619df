"""`RewardModel`: an encoder with a fitted head; the one thing that is trained, saved and used.

The scores that a model gave when it was trained are those it gives when it is loaded: a folder
holds the fitted numbers (safetensors) and the facts about them (JSON). Nothing is pickled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import Field

from pipeline.config import Section
from pipeline.errors import MissingFileError, TableError
from pipeline.features.table import Array
from pipeline.reward_model.data import PairRows, check_pairs, indexed
from pipeline.reward_model.encoder import Encoder, Scaling
from pipeline.reward_model.heads import Head, build_head
from pipeline.reward_model.heads.prototype import Prototype
from pipeline.reward_model.texts import RewardError, Text, TextPair
from pipeline.reward_model.tuning import fit_tuned
from pipeline.storage import AtomicFile, read_json_as, write_json

NUMBERS, FACTS = "reward.safetensors", "reward.json"
RETRAIN = "Train it again: dvc repro train_reward"
FORMAT = 1
# Under so many pairs the weights of prototypes are noise.
LEAST_PAIRS = 10
EXAMPLES = 5


class Example(Section):
    """A training text near a prototype: `wins` of its `pairs` it was preferred in.

    `distance` is the squared one to the prototype, in widths.
    """

    id: str
    prompt: str
    response: str
    wins: int
    pairs: int
    distance: float


class RewardFacts(Section):
    """What a saved model is, beside its numbers.

    `head` is what it is, `asked_for` what it was to be where that could not be, and `why`.
    `terciles` and `middle` are of the rewards of the texts it learned from. `examples` are the
    judged texts nearest to each place, and `worth` is the mean reward of the texts there.
    """

    format: int = FORMAT
    head: str
    settings: dict[str, Any]
    encoder: str
    pairs: int
    groups: int
    terciles: tuple[float, float]
    middle: float
    asked_for: str | None = None
    why: str | None = None
    licence: str = "none stated"
    examples: tuple[tuple[Example, ...], ...] = ()
    worth: tuple[float, ...] = ()
    measures: dict[str, Any] = Field(default_factory=dict)


class RewardModel:
    """Learns from pairs of texts, and gives any text a reward; greater is better.

    Rewards are differences in log odds: a text that is ahead by 1 is preferred with 73%. `settings`
    that are given are kept, the others are searched inside the pairs unless `tuned` is False.
    """

    def __init__(
        self,
        encoder: Encoder,
        head: str = "linear",
        settings: Mapping[str, Any] | None = None,
        *,
        seed: int = 0,
        tuned: bool = True,
    ) -> None:
        self.encoder = encoder
        self.head = head
        self.settings = dict(settings or {})
        self.seed = seed
        self.tuned = tuned
        build_head(head, self.settings)

    def fit(
        self,
        pairs: Sequence[TextPair],
        unlabelled: Sequence[Text] = (),
        *,
        licence: str = "none stated",
    ) -> Self:
        """Learn from `pairs`; `unlabelled` texts nobody judged show where texts are.

        Raises RewardError for what nothing can be learned from. What prototypes cannot be learned
        from alone makes a linear model, and its facts say so.
        """
        texts, rows = indexed(pairs)
        known = set(texts)
        every = [*texts, *(one for one in dict.fromkeys(unlabelled) if one not in known)]
        if not texts or len(set(rows.groups.tolist())) < 2:
            raise RewardError(
                f"{len(rows)} preference pair(s) of {len(set(rows.groups.tolist()))} dialogue(s): "
                "too few to learn from\nGive pairs of two dialogues at least, with ratings that "
                "differ."
            )
        raw = self.encoder.encode(every)
        self.scaling_ = Scaling.of(raw, self.encoder.style)
        features = self.scaling_.apply(raw)
        check_pairs(features, rows)
        self.fitted_, why = self._fit(features, rows)
        rewards = self.fitted_.score(features)
        if not np.isfinite(rewards).all():
            raise RewardError(f"{self.head}: a reward is not finite\nUse another model.")
        self.places_ = self._places(features)
        low, middle, high = np.quantile(rewards, [1 / 3, 1 / 2, 2 / 3])
        self.facts_ = RewardFacts(
            head=self.fitted_.name,
            settings=self.settings_,
            encoder=self.encoder.name,
            pairs=len(rows),
            groups=len(set(rows.groups.tolist())),
            terciles=(float(low), float(high)),
            middle=float(middle),
            asked_for=self.head if why else None,
            why=why,
            licence=licence,
            examples=_examples(self.places_, features, texts, rows),
            worth=_worth(self.places_, features, rewards),
        )
        return self

    def _fit(self, features: Array, rows: PairRows) -> tuple[Head, str | None]:
        """Return the head, and why it is not the one that was asked for, if so."""
        why = None
        if self.head == "prototype":
            head = self._fitted("prototype", self.settings, features, rows)
            if len(rows) < LEAST_PAIRS:
                why = f"{len(rows)} pairs, prototypes need {LEAST_PAIRS}"
            elif head.prototypes < 2:
                why = "all texts are at one place"
            if why is None:
                return head, None
            return self._fitted("linear", {}, features, rows), why
        return self._fitted(self.head, self.settings, features, rows), why

    def _places(self, features: Array) -> Prototype:
        """Return the prototypes; a head without has some that explain and decide nothing."""
        if isinstance(self.fitted_, Prototype):
            return self.fitted_
        return Prototype(seed=self.seed).prepare(features)

    def _fitted(
        self, name: str, settings: Mapping[str, Any], features: Array, rows: PairRows
    ) -> Head:
        self.settings_: dict[str, Any] = dict(settings)
        if not self.tuned:
            return build_head(name, settings).fit(features, rows, features)
        head, self.settings_ = fit_tuned(
            name, features, rows, features, seed=self.seed, fixed=settings
        )
        return head

    def reward(self, texts: Sequence[Text]) -> Array:
        """Return one number per text."""
        if not texts:
            return np.zeros(0)
        return self.fitted_.score(self.features(texts))

    def features(self, texts: Sequence[Text]) -> Array:
        """Return what the head sees of each text."""
        raw = self.encoder.encode(texts)
        if raw.shape[1] != len(self.scaling_.means):
            raise RewardError(
                f"the model reads {len(self.scaling_.means)} features of a text, "
                f"{self.encoder.name} gives {raw.shape[1]}\n{RETRAIN}"
            )
        return self.scaling_.apply(raw)

    def _try_out(self) -> None:
        """Raise ValueError unless the numbers of a loaded model fit together."""
        seen = self.scaling_.apply(np.zeros((1, len(self.scaling_.means))))
        shapes = (self.fitted_.score(seen).shape, self.places_.distances(seen).shape)
        if shapes != ((1,), (1, self.places_.prototypes)):
            raise ValueError(f"a text has rewards and distances of {shapes}")

    def note_measures(self, measures: dict[str, Any]) -> None:
        """Keep what was measured on other pairs among the facts that are saved."""
        self.facts_ = self.facts_.model_copy(update={"measures": measures})

    def save(self, folder: Path) -> None:
        """Write the model to `folder`."""
        from safetensors.numpy import save

        state = {
            **{f"head.{name}": value for name, value in self.fitted_.state().items()},
            "scaling.means": self.scaling_.means,
            "scaling.factors": self.scaling_.factors,
            "scaling.directions": self.scaling_.directions,
            "places": self.places_.places_,
            "width": np.array([self.places_.width_]),
        }
        with AtomicFile(folder / NUMBERS) as part:
            part.write_bytes(
                save({name: np.ascontiguousarray(value) for name, value in state.items()})
            )
        write_json(folder / FACTS, self.facts_.model_dump(mode="json"))

    @classmethod
    def load(cls, folder: Path, encoder: Encoder) -> Self:
        """Read what `save` wrote.

        Raises RewardError for a model of another encoder and TableError for a damaged file.
        """
        facts = read_json_as(folder / FACTS, RewardFacts, hint=RETRAIN)
        if facts.encoder != encoder.name:
            raise RewardError(
                f"{folder}: made with encoder {facts.encoder}, this is {encoder.name}\n{RETRAIN}"
            )
        model = cls(encoder, facts.head, facts.settings)
        state = _numbers(folder / NUMBERS)
        try:
            model.scaling_ = Scaling(
                state["scaling.means"], state["scaling.factors"], state["scaling.directions"]
            )
            kept = {
                name.removeprefix("head."): value
                for name, value in state.items()
                if name.startswith("head.")
            }
            model.fitted_ = build_head(facts.head, facts.settings).restore(kept)
            model.places_ = Prototype.at(state["places"], float(state["width"][0]))
            model._try_out()
        except KeyError as error:
            raise TableError(folder / NUMBERS, f"no {error} in it", hint=RETRAIN) from error
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            problem = f"its numbers do not fit together ({str(error)[:200]})"
            raise TableError(folder / NUMBERS, problem, hint=RETRAIN) from error
        model.facts_, model.settings_ = facts, facts.settings
        return model


def _numbers(path: Path) -> dict[str, Array]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not path.is_file():
        raise MissingFileError(path, hint=RETRAIN)
    try:
        state = load_file(path)
    except (SafetensorError, OSError, LookupError, TypeError, ValueError) as error:
        raise TableError(path, f"not a saved reward model ({error})", hint=RETRAIN) from error
    broken = [name for name, value in state.items() if not np.isfinite(value).all()]
    if broken:
        raise TableError(path, f"{broken[0]} is not finite", hint=RETRAIN)
    return dict(state)


def _worth(head: Prototype, features: Array, rewards: Array) -> tuple[float, ...]:
    """Return the mean reward of the texts nearest to each prototype."""
    nearest = head.distances(features).argmin(axis=1)
    return tuple(
        float(rewards[nearest == number].mean()) if (nearest == number).any() else 0.0
        for number in range(head.prototypes)
    )


def _examples(
    head: Prototype, features: Array, texts: Sequence[Text], rows: PairRows
) -> tuple[tuple[Example, ...], ...]:
    """Return the judged texts nearest to each prototype, nearest first."""
    wins = np.bincount(rows.chosen, minlength=len(texts))
    played = wins + np.bincount(rows.rejected, minlength=len(texts))
    distances = head.distances(features[: len(texts)])
    return tuple(
        tuple(
            Example(
                id=texts[row].id,
                prompt=texts[row].prompt,
                response=texts[row].response,
                wins=int(wins[row]),
                pairs=int(played[row]),
                distance=round(float(distances[row, number]), 4),
            )
            for row in np.argsort(distances[:, number], kind="stable")[:EXAMPLES]
        )
        for number in range(head.prototypes)
    )
