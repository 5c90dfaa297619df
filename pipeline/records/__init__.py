"""What flows between stages: frozen pydantic records that refuse nonsense."""

from pipeline.records.annotation import (
    WHOLE_RECORD,
    Annotation,
    AnswerValue,
    FinalLabel,
    Selected,
    Suggestion,
)
from pipeline.records.base import NonBlank, Record, content_id
from pipeline.records.completion import Completion
from pipeline.records.exchange import Exchange, Turn, text_of_turns
from pipeline.records.lineage import Lineage, RawLocation
from pipeline.records.miti import TO_MITI_4, BehaviourCode, MitiCode
from pipeline.records.model_rating import ModelRating
from pipeline.records.rejection import Rejection
from pipeline.records.response import Response
from pipeline.records.split import SplitAssignment, SplitName
from pipeline.records.training import Message, PreferencePair, SFTExample

__all__ = [
    "TO_MITI_4",
    "WHOLE_RECORD",
    "Annotation",
    "AnswerValue",
    "BehaviourCode",
    "Completion",
    "Exchange",
    "FinalLabel",
    "Lineage",
    "Message",
    "MitiCode",
    "ModelRating",
    "NonBlank",
    "PreferencePair",
    "RawLocation",
    "Record",
    "Rejection",
    "Response",
    "SFTExample",
    "Selected",
    "SplitAssignment",
    "SplitName",
    "Suggestion",
    "Turn",
    "content_id",
    "text_of_turns",
]
