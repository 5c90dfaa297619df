from __future__ import annotations

from pipeline.records import Response
from pipeline.reward_model.texts import compared_pairs, rated_pairs
from tests.reward_model.test_applying import COLD, DOG, WARM, _pair


def _rated(response: Response, rating: int | None) -> Response:
    return response.model_copy(update={"rating": rating})


def test_a_pair_is_of_two_responses_whose_ratings_differ() -> None:
    (pair,) = rated_pairs(DOG, [_rated(COLD, 1), _rated(WARM, 3)])

    assert (pair.chosen.id, pair.rejected.id, pair.group) == (WARM.id, COLD.id, "dog")
    assert pair.chosen.prompt == "my dog"


def test_ties_unrated_and_identical_responses_make_no_pair() -> None:
    twin = _rated(WARM.model_copy(update={"id": "twin"}), 1)

    assert rated_pairs(DOG, [_rated(COLD, 2), _rated(WARM, 2)]) == []
    assert rated_pairs(DOG, [_rated(COLD, 2), _rated(WARM, None)]) == []
    assert rated_pairs(DOG, [_rated(WARM, 3), twin]) == []


def test_a_compared_pair_is_turned_the_way_people_decided() -> None:
    pair = _pair(WARM, COLD)

    kept = compared_pairs([pair], {pair.id: "chosen"}, {})
    turned = compared_pairs([pair], {pair.id: "rejected"}, {})

    assert (kept[0].chosen.id, turned[0].chosen.id) == (WARM.id, COLD.id)
    assert compared_pairs([pair], {pair.id: "equal"}, {}) == []
    assert compared_pairs([pair], {}, {}) == []
