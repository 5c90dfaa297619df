"""Texts that are there twice: word for word, edited, in other words, in two splits or files."""

from __future__ import annotations

import random

from benchmarks.planting.corpus import PER_KIND, Planted, clean_rows

# The same said in other words, by hand: what counts is the sense.
PARAPHRASES: tuple[tuple[str, str], ...] = (
    (
        "Losing a dog after fourteen years leaves the whole house quiet.",
        "The whole house goes quiet when a dog of fourteen years is lost.",
    ),
    (
        "It makes sense that you are furious with your landlord about the broken heating.",
        "No wonder the broken heating has made you so furious with the landlord of yours.",
    ),
    (
        "You studied for this exam for months, and now you have to wait for the result.",
        "For months you have been studying for the exam, and now the waiting for its result.",
    ),
    (
        "Moving to a new city without knowing anyone sounds lonely.",
        "It sounds lonely to have moved to a new city where you know nobody.",
    ),
    (
        "Your brother forgot your birthday again, and it stings.",
        "It stings that once again your birthday was forgotten by your brother.",
    ),
    (
        "You were passed over for the promotion although you did the work of two people.",
        "Although you worked for two, the promotion passed over you.",
    ),
    (
        "Hearing the doctor say that the lump is harmless must have lifted a weight.",
        "A weight must have been lifted when the doctor said the lump was harmless.",
    ),
    (
        "You spent the whole evening cooking and then nobody came to dinner.",
        "Nobody came to the dinner that you had been cooking the whole evening.",
    ),
    (
        "The neighbours play loud music every night and you cannot sleep.",
        "You cannot sleep, because every night there is loud music from the neighbours.",
    ),
    (
        "After the crash you are scared to sit behind the wheel again.",
        "Sitting behind the wheel again scares you since the crash.",
    ),
    (
        "Your daughter took her first steps while you were away at work.",
        "While you were away at work, the first steps of your daughter happened.",
    ),
    (
        "You told your best friend a secret and she passed it on to everyone.",
        "The secret that you told your best friend was passed on by her to everyone.",
    ),
    (
        "It is hard to watch your father forget the names of his grandchildren.",
        "Watching how the names of his grandchildren slip from your father is hard.",
    ),
    (
        "You saved for three years and the trip was cancelled the day before.",
        "The day before, they cancelled the trip for which you had saved three years.",
    ),
    (
        "The baby keeps you awake all night and you have nothing left to give.",
        "All night the baby keeps you awake; there is nothing left of you to give.",
    ),
    (
        "You laughed at her joke and only later understood that it was about you.",
        "Only later did you understand that the joke of hers you laughed at was about you.",
    ),
    (
        "The funeral is over, the guests have gone, and now the quiet begins.",
        "With the funeral over and every guest gone, the quiet is what begins now.",
    ),
    (
        "You stood on that stage with shaking knees and sang to the end.",
        "Your knees were shaking on that stage, and still you sang until the end.",
    ),
    (
        "Nobody asked you before they changed the shifts, and you found out from a note.",
        "From a note you found out about the changed shifts; nobody had asked you before.",
    ),
    (
        "You gave him the last of your savings and he stopped answering.",
        "He stopped answering after the last of your savings had gone to him.",
    ),
)


def _edited(text: str, rng: random.Random, vocabulary: list[str]) -> str:
    """Return `text` with 4 to 15 of 100 words exchanged, dropped or doubled by another."""
    words = text.split()
    for at in rng.sample(range(len(words)), max(1, round(rng.uniform(0.04, 0.15) * len(words)))):
        words[at] = rng.choice(
            ["", rng.choice(vocabulary), f"{words[at]} {rng.choice(vocabulary)}"]
        )
    return " ".join(filter(None, words))


def plant_copies(seed: int = 0) -> Planted:
    """Plant exact and near copies, texts in both splits, and dialogues in both splits.

    The copies stand behind all clean rows: the first of equals is the one to keep.
    """
    rng = random.Random(seed)
    base = clean_rows(seed)
    planted = Planted(list(base))
    vocabulary = [word for row in base for word in row["response"].split()]
    long = [row for row in base if len(row["response"].split()) >= 12]
    hosts = iter(rng.sample(long, 4 * PER_KIND))
    for number in range(PER_KIND):
        exact = next(hosts)
        row = dict(exact, id=f"exact-{number}", dialogue_id=f"exact-{number}")
        planted.add("exact_duplicates", row)
        near = next(hosts)
        row = dict(near, id=f"near-{number}", dialogue_id=f"near-{number}")
        row["response"] = _edited(near["response"], rng, vocabulary)
        planted.add("near_duplicates", row)
        leak = next(hosts)
        other = "train" if leak["split"] == "test" else "test"
        row = dict(leak, id=f"leak-{number}", dialogue_id=f"leak-{number}", split=other)
        planted.add("cross_split_leakage", row)
        group = next(hosts)
        row = dict(
            group, id=f"group-{number}", split="train" if group["split"] == "test" else "test"
        )
        row["response"] = " ".join(rng.sample(vocabulary, 20)) + "."
        planted.add("group_leakage", row)
    return planted


def plant_paraphrases(seed: int = 0) -> Planted:
    """Plant replies that say in other words what a clean one says."""
    rng = random.Random(seed)
    base = clean_rows(seed)
    hosts = rng.sample(base, len(PARAPHRASES))
    planted = Planted(list(base))
    for number, (host, (one, other)) in enumerate(zip(hosts, PARAPHRASES, strict=True)):
        planted.rows.append(dict(host, id=f"clean-said-{number}", response=one))
        planted.add("semantic_duplicates", dict(host, id=f"paraphrase-{number}", response=other))
    return planted


def plant_leakage_against(seed: int = 0) -> Planted:
    """Plant replies that another file has too, word for word and edited."""
    rng = random.Random(seed)
    base = [row for row in clean_rows(seed) if len(row["response"].split()) >= 12]
    rng.shuffle(base)
    # No dialogue is in both files, whatever its replies.
    ours = {row["dialogue_id"] for row in base[: len(base) // 2]}
    mine = [row for row in base if row["dialogue_id"] in ours]
    theirs = [row for row in base if row["dialogue_id"] not in ours]
    words = [word for row in base for word in row["response"].split()]
    planted = Planted([dict(row, prompt=None) for row in mine], against=theirs)
    for number in range(PER_KIND):
        host = theirs[number % len(theirs)]
        said = host["response"] if number % 2 else _edited(host["response"], rng, words)
        row = dict(mine[number % len(mine)], id=f"against-{number}", response=said, prompt=None)
        planted.add("leakage_against", row)
    return planted


def random_replies(count: int, seed: int, *, words: tuple[int, int] = (45, 110)) -> list[str]:
    """Return replies of random words of the sample: long, and never alike by themselves."""
    rng = random.Random(seed)
    vocabulary = sorted({word for row in clean_rows() for word in row["response"].split()})
    return [" ".join(rng.choices(vocabulary, k=rng.randint(*words))) for _ in range(count)]


def with_near_copies(
    texts: list[str], copies: int, seed: int
) -> tuple[list[str], set[tuple[int, int]]]:
    """Append edited copies of `copies` of `texts`; return all, and the pairs (source, copy)."""
    rng = random.Random(seed)
    vocabulary = sorted({word for text in texts[:500] for word in text.split()})
    sources = rng.sample(range(len(texts)), copies)
    edited = [_edited(texts[source], rng, vocabulary) for source in sources]
    pairs = {(source, len(texts) + number) for number, source in enumerate(sources)}
    return [*texts, *edited], pairs
