"""What runs inside Argilla's virtual environment, started as `python -m server`.

Nothing of ours outside this folder can be imported here, and only `text_query` and `holder` can be
imported without Argilla.
"""
