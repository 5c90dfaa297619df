import pytest

from pipeline.pages import printable, shortened


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("nul\x00", "nul⟨U+0000⟩"),
        ("half \ud83d", "half ⟨U+D83D⟩"),
        ("tab\tand\nline, é, 日本, 🙂", "tab\tand\nline, é, 日本, 🙂"),
    ],
)
def test_spells_out_what_cannot_be_seen_and_leaves_the_rest(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_says_how_much_was_left_out() -> None:
    assert shortened("abcdef", 4) == "abcd … (+2 characters)"
    assert shortened("abcd", 4) == "abcd"
