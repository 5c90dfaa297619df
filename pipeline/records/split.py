"""Which side of the split an exchange is on."""

from __future__ import annotations

from typing import Literal

from pipeline.records.base import NonBlank, Record

SplitName = Literal["train", "dev", "test"]


class SplitAssignment(Record):
    """The split of one exchange.

    `group` joins the exchanges that must stay together; `rule` is the split rule that decided.
    """

    exchange_id: NonBlank
    split: SplitName
    group: NonBlank
    rule: NonBlank
