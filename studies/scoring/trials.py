"""What is tried: the paper's cells, the null baselines, and the search."""

from __future__ import annotations

from pipeline.evaluation.honest import Trial, blend
from pipeline.scoring.leniency import RaterModel

RATER_MODELS: tuple[RaterModel, ...] = ("none", "empirical_bayes", "mixed")
EB: RaterModel = "empirical_bayes"
NOTHING: RaterModel = "none"
# The paper's method, done honestly.
PAPER = Trial("15V2+MITI", "LR")
TABLE = (
    *(
        Trial(features, model)
        for features in ("MITI", "15V2", "15V2+MITI")
        for model in ("LR", "SVC", "DT", "RF")
    ),
    Trial("15V2+MITI", "MLP", calibrated=False),  # it takes minutes as it is
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
        ("LR", "balanced", NOTHING),
        ("balanced SVC", "balanced", EB),
        ("ordinal", "balanced", EB),
        ("ordinal", "scored", NOTHING),
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
        ("ordinal", "all", NOTHING),
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


def _lenient(features: str, model: str, pool: str = "balanced", raters: RaterModel = EB) -> Trial:
    return Trial(features, model, pool=pool, raters=raters)


def _as_is(features: str, model: str, pool: str = "balanced") -> Trial:
    return Trial(features, model, pool=pool, raters=EB, scaled=False)


# Few features under a strong penalty, and different views of the text taken together.
_TEXT = (
    _lenient("type+text", "ordinal C=.001", "all"),
    _lenient("type+text", "ordinal C=.001"),
)
_CODED = (
    _lenient("type+text+MITI coded", "ordinal C=.001", "all"),
    _lenient("type+text+MITI coded", "ordinal C=.001"),
)
_WORDS, _WORDS_LR = (_as_is("type+words", name) for name in ("ordinal C=1", "balanced LR C=.3"))
_MEANING = _as_is("type+MiniLM", "ordinal", "all")
_MEANING_TOO = _as_is("type+MiniLM", "ordinal C=.3")
_EXCHANGE = _as_is("type+MiniLM+MiniLM exchange", "ordinal", "all")
_VIEWS = (*_TEXT, *_CODED, _WORDS, _WORDS_LR, _MEANING, _MEANING_TOO, _EXCHANGE)
_ALL_VIEWS = blend(*_TEXT, _WORDS, _MEANING)
_BLENDED = (
    blend(*_TEXT),
    blend(*_CODED),
    blend(*_TEXT, _WORDS),
    blend(*_TEXT, _WORDS_LR),
    _ALL_VIEWS,
    blend(*_TEXT, _WORDS_LR, _MEANING),
    blend(*_TEXT, _WORDS, _MEANING_TOO),
    blend(*_TEXT, _WORDS, _EXCHANGE),
    blend(*_TEXT, _WORDS, _WORDS_LR, _MEANING, _MEANING_TOO),
    blend(*_CODED, _WORDS, _MEANING),
    blend(*_CODED, _WORDS_LR, _MEANING),
)
_STRONG = tuple(
    _lenient(features, model, pool, raters)
    for features in ("15V2", "15V2+type")
    for model, pool in (
        ("ordinal C=.003", "balanced"),
        ("ordinal C=.001", "balanced"),
        ("ordinal C=.0003", "scored"),
    )
    for raters in (EB, "mixed")
)
_RATED_BOTH = (
    _lenient("15V2+type", "ordinal C=.003"),
    _lenient("15V2+type", "ordinal C=.0003", "scored"),
)
_RATED_BLENDED = (
    blend(*_RATED_BOTH),
    blend(*_RATED_BOTH, _lenient("15V2+type+text", "ordinal C=.0003", "scored")),
    blend(*_RATED_BOTH, _ALL_VIEWS),
    blend(*_RATED_BOTH, *_CODED),
    blend(*_RATED_BOTH, _WORDS_LR),
)
SEARCH = (
    *_RATED,
    *_OTHER_RATED,
    *_READABLE,
    *_EMBEDDED,
    *_VIEWS,
    *_BLENDED,
    *_STRONG,
    *_RATED_BLENDED,
)
