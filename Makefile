# make demo: the page, in a virtual environment of its own.    make test: lint, types, unit and browser tests.
PYTHON ?= python3
VENV ?= .venv
# More packages for the environment from elsewhere, e.g. PIP_OPTIONS="--extra-index-url https://download.pytorch.org/whl/cpu"
PIP_OPTIONS ?=
JOBS ?= 2

BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet $(PIP_OPTIONS)

.DEFAULT_GOAL := help
.PHONY: help demo test lint types unit browser format clean

help:
	@echo "make demo   install what the page needs into $(VENV) and start it"
	@echo "make test   install what the tests need as well; lint, types, unit and browser tests"
	@echo "            (its parts: make lint types unit browser)"
	@echo "make format lay out the code as ruff has it"

demo: $(VENV)/.installed
	$(BIN)/python app.py

test: lint types unit browser

# The stamps make installing a matter of once: pip runs again only when a requirements file changes.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(BIN)/python
	$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements.txt requirements-train.txt requirements-dev.txt | $(BIN)/python
	$(INSTALL) -r requirements-dev.txt
	@touch $@ $(VENV)/.installed

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

# One thread a test process: two processes with two threads each would only get into each other's way.
unit: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(JOBS) -m "not browser"

browser: $(VENV)/.installed-dev
	$(BIN)/pytest -m browser

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
