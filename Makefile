# make demo: the page, in a virtual environment of its own.    make test: lint, types, unit and browser tests.
PYTHON ?= python3
VENV ?= .venv
# More packages for the environment from elsewhere, e.g. PIP_OPTIONS="--extra-index-url https://download.pytorch.org/whl/cpu"
PIP_OPTIONS ?=
# What the page is installed from: every version and every file's hash. Packages from elsewhere have hashes of their own,
# so with PIP_OPTIONS it is requirements.txt, which names ranges.
REQUIREMENTS ?= $(if $(PIP_OPTIONS),requirements.txt,requirements.lock)
JOBS ?= 2

BIN := $(VENV)/bin
# One thread a test process: two processes with two threads each would only get into each other's way.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -n $(JOBS) --dist worksteal
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet $(PIP_OPTIONS)

.DEFAULT_GOAL := help
.PHONY: help demo test lint types unit browser screenshot format lock audit licences clean

help:
	@echo "make demo   install what the page needs into $(VENV) and start it"
	@echo "make test   install what the tests need as well; lint, types, unit and browser tests"
	@echo "            (its parts: make lint types unit browser)"
	@echo "make screenshot  docs/screenshot.png from the page as it is"
	@echo "make format lay out the code as ruff has it"
	@echo "make lock   write requirements.lock anew: the newest versions that requirements.txt allows, with hashes"
	@echo "make audit  look up known vulnerabilities of what requirements.lock names"
	@echo "make licences  the licence of every package that is installed for the page"

demo: $(VENV)/.installed
	$(BIN)/python app.py

# All in one run, as the browser tests mostly wait. Each process takes its share of neighbouring tests, which have a
# server or a network in common, and then some of what the other has left.
test: lint types
	$(PYTEST)

# The stamps make installing a matter of once: pip runs again only when a requirements file changes.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt requirements.lock | $(BIN)/python
	$(INSTALL) -r $(REQUIREMENTS)
	@touch $@

$(VENV)/.installed-dev: requirements.txt requirements-train.txt requirements-dev.txt | $(BIN)/python
	$(INSTALL) -r requirements-dev.txt
	@touch $@ $(VENV)/.installed

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

unit: $(VENV)/.installed-dev
	$(PYTEST) -m "not browser"

browser: $(VENV)/.installed-dev
	$(PYTEST) -m browser

screenshot: $(VENV)/.installed-dev
	$(BIN)/python -m tests.browser.screenshot

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Tools that look at the environment have one of their own.
TOOLS := $(VENV)-tools/bin
$(TOOLS)/.installed: requirements-tools.txt
	$(PYTHON) -m venv $(VENV)-tools
	$(TOOLS)/python -m pip install --disable-pip-version-check --quiet -r requirements-tools.txt
	@touch $@

lock: $(TOOLS)/.installed
	$(TOOLS)/uv pip compile requirements.txt --universal --python-version 3.10 --generate-hashes --no-header \
		--upgrade --quiet --output-file requirements.lock

# --strict: a package that could not be looked up is a failure, not a pass.
audit: $(TOOLS)/.installed
	$(TOOLS)/pip-audit --requirement requirements.lock --disable-pip --strict --progress-spinner off

licences: $(TOOLS)/.installed $(VENV)/.installed
	$(TOOLS)/pip-licenses --python=$(BIN)/python --order=license

clean:
	rm -rf $(VENV) $(VENV)-tools .mypy_cache .pytest_cache .ruff_cache .hypothesis
