"""Cards of corpora and models, filled from measured files alone.

`corpus_card` is the card of a corpus as the Hugging Face Hub reads it; an export passes its own
`configs`, the files in the folder layout of the Hub.
"""

from pipeline.reporting.cards.corpus import CARD_TABLES, corpus_card, corpus_licence
from pipeline.reporting.cards.rendering import Card

__all__ = ["CARD_TABLES", "Card", "corpus_card", "corpus_licence"]
