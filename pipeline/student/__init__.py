"""Students: a base model taught in two steps (supervised, then by preferences), and what it says.

TRL's trainers do the training and PEFT's adapters hold what was learned; what is here makes the
runs repeatable, resumable and honest about what they dropped.
"""
