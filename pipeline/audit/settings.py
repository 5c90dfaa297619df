"""`AuditSettings`: every threshold of the audit, with its unit and its range."""

from __future__ import annotations

from datetime import date

from pydantic import Field, field_validator

from pipeline.audit.finding import Severity
from pipeline.config import Section
from pipeline.records import NonBlank

Share = float


class Waiver(Section):
    """Lets named critical findings pass for a time, with a reason and a name under it.

    It covers critical findings of `detector`, all of them or those about `row_id`, in tables
    called `table`, and nothing after `expires`. A waiver that covers nothing is an error: the
    defect is gone and so should the waiver be.
    """

    detector: NonBlank
    row_id: NonBlank | None = None
    table: NonBlank | None = None
    reason: NonBlank
    author: NonBlank
    expires: date

    @field_validator("expires", mode="before")
    @classmethod
    def _is_quoted(cls, value: object) -> object:
        if isinstance(value, date):
            raise ValueError(f'write it in quotes, "{value}": DVC reads no bare date')
        return value


class AuditSettings(Section):
    """Thresholds of the detectors, and severities where another one than theirs is wanted."""

    severities: dict[str, Severity] = Field(
        default_factory=dict, description="detector -> severity of all its findings"
    )
    human_responders: tuple[str, ...] = Field(
        default=("human", "reference"), description="responders that are people, not models"
    )
    max_text_chars: int = Field(default=20_000, gt=0, description="longer texts are cut, chars")
    near_duplicate_jaccard: Share = Field(default=0.6, gt=0, le=1)
    near_duplicate_min_words: int = Field(default=6, ge=1, description="shorter: exact only")
    leak_min_words: int = Field(
        default=5, ge=1, description="shorter texts recur by chance and are no leak"
    )
    semantic_cosine: float = Field(default=0.9, gt=0, le=1, description="LSA cosine, 1 = same")
    embedding_cosine: float = Field(default=0.85, gt=0, le=1, description="of handed vectors")
    semantic_exact_rows: int = Field(default=20_000, gt=0, description="above: in blocks")
    semantic_dimensions: int = Field(default=100, gt=1)
    length_outlier_mads: float = Field(default=6.0, gt=0, description="robust z of log length")
    repetition_share: Share = Field(default=0.2, gt=0, le=1, description="repeated 6-word runs")
    opener_share: Share = Field(default=0.05, gt=0, le=1, description="of one responder's replies")
    parroting_share: Share = Field(default=0.6, gt=0, le=1, description="of the reply's 3-grams")
    drift_similarity: Share = Field(
        default=0.1, ge=0, le=1, description="word overlap with the original, 0 = nothing shared"
    )
    question_share: Share = Field(default=0.5, gt=0, le=1, description="of sentences, per reply")
    straight_line_items: int = Field(default=8, ge=2, description="equal ratings in a row of work")
    rater_severity_z: float = Field(default=4.0, gt=0, description="mean rating, standard errors")
    label_noise_confidence: Share = Field(default=0.9, gt=0, lt=1)
    label_noise_min_words: int = Field(default=4, ge=1, description="fewer say too little")
    label_noise_min_gain: Share = Field(default=0.1, ge=0, description="macro recall over chance")
    near_tie_jaccard: Share = Field(default=0.9, gt=0, le=1, description="sides of a pair alike")
    thin_cell_rows: int = Field(default=5, ge=1, description="fewer rows in a cell are thin")
    confound_share: Share = Field(default=0.6, gt=0.5, le=1, description="right by length alone")
    prompt_texts: tuple[str, ...] = Field(
        default=(), description="texts of our prompts, to find them echoed"
    )
    seed: int = 0

    def is_model(self, responder: str | None) -> bool:
        """Whether `responder` is known to be a model; the sides of a pair may be anyone's."""
        if responder is None or responder in ("chosen", "rejected"):
            return False
        return responder.lower() not in self.human_responders
