"""`python -m pipeline`, the same as the `distillery` command."""

from pipeline.cli import main

if __name__ == "__main__":
    main()
