"""Defects of a single reply: what is wrong can be read off the text."""

from __future__ import annotations

import random
from collections.abc import Callable

from benchmarks.planting.corpus import (
    PER_KIND,
    Planted,
    Row,
    clean_rows,
    sentences,
    vocabulary,
)


def _choose(*texts: str) -> Callable[[Row, random.Random], None]:
    """Return a planter that puts one of `texts` before or after the reply."""

    def plant(row: Row, rng: random.Random) -> None:
        row["response"] = f"{row['response']} {rng.choice(texts)}"

    return plant


def _before(*texts: str) -> Callable[[Row, random.Random], None]:
    def plant(row: Row, rng: random.Random) -> None:
        row["response"] = f"{rng.choice(texts)} {row['response']}"

    return plant


def _instead(*texts: str) -> Callable[[Row, random.Random], None]:
    def plant(row: Row, rng: random.Random) -> None:
        row["response"] = rng.choice(texts)

    return plant


def _mojibake(row: Row, rng: random.Random) -> None:
    quoted = f"It’s a lot, and you’re not wrong about it — {row['response']}"
    damage = rng.randrange(4)
    if damage == 0:
        row["response"] = quoted.encode("utf-8").decode("cp1252", "ignore")
    elif damage == 1:
        row["response"] = quoted.replace(",", "_comma_", 1)
    elif damage == 2:
        row["response"] = quoted.replace(" ", "\x07", 1)
    else:
        row["response"] = quoted.replace("’", "�")


def _cut(row: Row, rng: random.Random) -> None:
    ends = (
        "and it would be good for the",
        "so that you can talk with your",
        "because I think that",
    )
    row["response"] = f"{row['response']} There is still time {rng.choice(ends)}"


def _loop(row: Row, rng: random.Random) -> None:
    phrase = rng.choice(
        ["I hear how much that hurt. ", "You did all you could do. ", "It is so hard, "]
    )
    row["response"] = row["response"] + " " + phrase * rng.randint(6, 12)


def _parrot(row: Row, rng: random.Random) -> None:
    row["response"] = f"{rng.choice(['So', 'You say', 'Hmm,'])} {row['prompt']}"


def _drift(row: Row, rng: random.Random) -> None:
    row["original"] = rng.choice(
        [
            "Penguins huddle through Antarctic winters, rotating places against blizzards.",
            "Quarterly invoices require signatures before Thursday's warehouse delivery window.",
            "Volcanic basalt cools into hexagonal columns along northern coastlines.",
        ]
    )


def _personal(row: Row, rng: random.Random) -> None:
    told = rng.choice(
        [
            f"Write to sam.{rng.randrange(999)}@mailbox-{rng.randrange(99)}.org if it helps.",
            f"My number is (212) 736-{rng.randrange(1000, 9999)}, ring any evening.",
            "The card was 5500 0000 0000 0004, can you believe it.",
        ]
    )
    row["response"] = f"{row['response']} {told}"


PLANTERS: dict[str, Callable[[Row, random.Random], None]] = {
    "encoding_damage": _mojibake,
    "empty_text": _instead("", "   ", "...", "None", "null", "?!"),
    "wrong_language": _instead(
        "Es tut mir wirklich leid, dass du das gerade durchmachen musst, das klingt sehr schwer.",
        "Je comprends que cette semaine ait été vraiment difficile pour toi et ta famille.",
        "Entiendo perfectamente que te sientas así después de todo lo que ha pasado este mes.",
        "Мне очень жаль, что тебе пришлось пройти через всё это в одиночку.",
    ),
    "truncation": _cut,
    "repetition": _loop,
    "refusals": _instead(
        "I'm sorry, but I can't help with that request right now, whatever the reason behind it.",
        "I am unable to provide the support that you are looking for in this matter.",
        "I cannot assist with this, please speak to a professional in your area.",
        "I'm afraid I won't be able to discuss topics of this kind with you.",
        "I must decline to answer questions about your family situation.",
    ),
    "self_reference": _before(
        "As an AI language model, I can only imagine this.",
        "I'm just a chatbot, but I will listen.",
        "As a large language model I see only words.",
        "I was created by OpenAI and know this from text only.",
        "Since I don't have personal feelings, I can only guess.",
    ),
    "prompt_echo": _before(
        "Here is a more empathetic response:",
        "Improved response:",
        "Response: ",
        "Here's the rewritten reply that keeps the meaning.",
        "Cognitive empathy first, then the rest.",
    ),
    "preambles": _choose("Warm regards, your assistant", "Sincerely, [Your Name]", "Best regards"),
    "fabricated_experience": _before(
        "I went through the same with my own mother last year.",
        "When I was a child, this happened to me too.",
        "I remember my first year at work like that.",
        "I've been there, with my husband and my kids.",
    ),
    "formatting": _choose(
        "\n- breathe slowly\n- call a friend\n- sleep on it",
        "\n1. Write it down.\n2. Read it aloud.\n3. Burn it.",
        "**Remember this:** it passes.",
        "\n## Next steps\nTalk about it.",
    ),
    "parroting": _parrot,
    "meaning_drift": _drift,
    "miti_inconsistent": _choose(
        "You should move out before the winter.",
        "That's your own fault, honestly.",
        "If you keep doing this you will lose everyone.",
        "If I were you, I would hand in my notice.",
        "You had better not call in sick again.",
        "My advice is to say nothing.",
    ),
    "question_share": _instead(
        "When did it begin? Who was with you? What did they say? And how did you sleep?",
        "Why did he leave? Where did he go? Have you asked him since?",
        "Did you tell her? Did she listen? What happened afterwards? Hm.",
    ),
    "emotion_mismatch": _instead(
        "Congratulations! What a week you have behind you.",
        "That's fantastic news! Tell us everything about the day.",
        "So happy for you! Enjoy every minute of it.",
    ),
    "toxic_positivity": _choose(
        "Just look on the bright side.",
        "Everything happens for a reason, you know.",
        "It could be so much worse.",
        "Cheer up, will you.",
        "Time heals everything in the end.",
    ),
    "empty_sympathy": _instead(
        "I'm so sorry to hear that.",
        "Oh no, that's terrible, I am so sorry.",
        "That sucks, man.",
        "So sorry for your loss.",
    ),
    "crisis": _choose(
        "You said you want to kill yourself.",
        "Some days I don't want to be alive either.",
        "She spoke of suicide again last night.",
        "He hits me when he drinks.",
        "I keep cutting myself to cope.",
    ),
    "claims": _choose(
        "You clearly have depression.",
        "Take 50 mg of it before bed.",
        "You could sue them for this.",
        "Everything you say stays between us.",
        "I will never tell anyone about this.",
    ),
    "personal_data": _personal,
    "profanity": _choose("What a shitty thing to do.", "That is bullshit.", "Fuck them all."),
}

_SAD = {"sad", "lonely", "devastated", "angry", "furious", "ashamed", "guilty", "disappointed"}


def plant_defects(seed: int = 0) -> Planted:
    """Plant PER_KIND rows of each kind of PLANTERS, in random order among the clean ones."""
    rng = random.Random(seed)
    base = clean_rows(seed)
    planted = Planted(list(base))
    for detector, plant in PLANTERS.items():
        moody = detector in ("emotion_mismatch", "toxic_positivity")
        fit = [row for row in base if not moody or row["emotion"] in _SAD]
        for number, host in enumerate(rng.sample(fit, min(PER_KIND, len(fit)))):
            row = dict(host, id=f"{detector}-{number:05d}", responder="model")
            row["dialogue_id"] = f"{detector}-{number}"
            row["split"] = "train"
            plant(row, rng)
            planted.add(detector, row)
    rng.shuffle(planted.rows)
    return planted


def plant_lengths(seed: int = 0) -> Planted:
    """Plant replies of one word and of three hundred among replies of about thirty."""
    rng = random.Random(seed)
    words = vocabulary()
    planted = Planted([])
    for number in range(200):
        said = sentences(rng, words, count=3, length=(8, 12))
        planted.rows.append({"id": f"clean-{number}", "responder": "model", "response": said})
    for number in range(PER_KIND):
        said = sentences(rng, words, count=30) if number % 2 else rng.choice(words).capitalize()
        row = {"id": f"length-{number}", "responder": "model", "response": f"{said}."}
        planted.add("length_outliers", row)
    rng.shuffle(planted.rows)
    return planted
