"""What is tried: the paper's cells, the null baselines, and the search."""

from __future__ import annotations

from pipeline.evaluation.honest import Trial
from pipeline.scoring.classifiers import PUBLISHED
from pipeline.scoring.leniency import RaterModel

RATER_MODELS: tuple[RaterModel, ...] = ("none", "empirical_bayes", "mixed")
EB: RaterModel = "empirical_bayes"
# The paper's method, done honestly.
PAPER = Trial("15V2+MITI", "LR")
TABLE = (
    *(Trial(features, model) for features in ("MITI", "15V2", "15V2+MITI") for model in PUBLISHED),
    Trial("15V2+MITI+type", "LR"),
    Trial("15V2+MITI+type", "SVC"),
    Trial("MiniLM", "SVC"),
    Trial("15V2", "ordinal", pool="scored"),
    Trial("15V2", "ridge-ordinal", pool="scored"),
    Trial("15V2", "boosting"),
)
RECODED = (
    Trial("MITI recoded", "LR"),
    Trial("MITI recoded", "SVC"),
    Trial("15V2+MITI recoded", "LR"),
    Trial("15V2+MITI recoded", "SVC"),
    Trial("MITI coded", "LR"),
)
# The same but for what is done about raters; the first leaves their leniency in.
LENIENT = tuple(
    Trial("15V2+type", "ordinal", pool="scored", raters=raters) for raters in RATER_MODELS
)
SELECTED = (
    Trial("15V2+MITI", "LR", selection="RFE", calibrated=False),
    Trial("15V2+MITI", "LR", selection="KBest", calibrated=False),
)

_RATED = tuple(
    Trial(features, model, pool=pool, raters=raters, calibrated=False)
    for features in ("15V2", "15V2+type", "15V2+type+text", "15V2+type+MITI coded")
    for model, pool, raters in (
        ("LR", "balanced", "none"),
        ("balanced SVC", "balanced", EB),
        ("ordinal", "balanced", EB),
        ("ordinal", "scored", "none"),
        ("ordinal", "scored", EB),
        ("ordinal C=.01", "scored", EB),
        ("ridge-ordinal", "scored", EB),
    )
)
_OTHER_RATED = (
    Trial("15V2+type+text+MITI coded", "ordinal C=.01", pool="scored", raters=EB, calibrated=False),
    Trial("15V2+MiniLM", "ordinal C=.001", pool="scored", raters=EB, calibrated=False),
    Trial("15V2+type+text+MiniLM", "ordinal C=.001", pool="scored", raters=EB, calibrated=False),
    Trial("15V2+type+text", "boosting", pool="scored", raters=EB, calibrated=False),
)
_READABLE = tuple(
    Trial(features, model, pool=pool, raters=raters, calibrated=False)
    for features in ("text", "type+text", "type+text+MITI coded")
    for model, pool, raters in (
        ("balanced SVC", "balanced", EB),
        ("ordinal", "balanced", EB),
        ("ordinal", "all", "none"),
        ("ordinal", "all", EB),
        ("ordinal C=.01", "all", EB),
    )
)
_EMBEDDED = (
    Trial("MiniLM", "SVC", calibrated=False),
    Trial("MiniLM+text", "balanced SVC", calibrated=False),
    Trial("MiniLM+type+text", "balanced SVC", raters=EB, calibrated=False),
    Trial("MiniLM+MiniLM exchange+type+text", "balanced SVC", raters=EB, calibrated=False),
    Trial("MiniLM", "ordinal C=.001", pool="all", raters=EB, calibrated=False),
    Trial("MiniLM+type+text", "ordinal C=.001", pool="all", raters=EB, calibrated=False),
    Trial("MiniLM+type+text", "ridge-ordinal", pool="all", raters=EB, calibrated=False),
    Trial("type+text", "boosting", pool="all", raters=EB, calibrated=False),
)
SEARCH = (*_RATED, *_OTHER_RATED, *_READABLE, *_EMBEDDED)
