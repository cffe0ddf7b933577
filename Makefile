# `make` or `make help` lists the targets. Needed: Python 3.11 or newer, and make.

PYTHON ?= python3
VENV ?= .venv
DEMO ?= .venv-demo
PYTEST_ARGS ?=

PY = $(VENV)/bin/python
INSTALL = -m pip install -qq --disable-pip-version-check
SOURCES := $(shell find graphc -type f ! -name '*.pyc' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help docs demo test test-all check format bench bench-figures venv clean distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(DEMO)/.installed ## install graphc with its runtime dependencies alone, compile and train examples/digits.py
	$(DEMO)/bin/graphc build examples/digits.py -o out/
	$(DEMO)/bin/python examples/digits.py

test: $(VENV)/.installed ## run the test suite, without the tests marked slow
	$(PY) -m pytest -m "not slow" -n auto $(PYTEST_ARGS)

test-all: $(VENV)/.installed ## run the whole test suite
	$(PY) -m pytest -n auto $(PYTEST_ARGS)

check: $(VENV)/.installed ## formatting, lint, types, and the direction of imports
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m pytest --quiet tests/test_house.py

format: $(VENV)/.installed ## format the sources and apply the safe lint fixes
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

docs: $(VENV)/.made ## build the documentation site in docs/_build/html, the gallery run
	$(PY) $(INSTALL) -e ".[docs]"
	$(PY) -m sphinx -W --keep-going -q -b html docs docs/_build/html

bench: $(VENV)/.installed ## run the benchmarks
	PYTHONPATH=. $(PY) tests/benchmarks/run.py $(BENCH_ARGS)

bench-figures: $(VENV)/.installed ## how long figures take, beside Graphviz and torchview if installed
	PYTHONPATH=. $(PY) tests/benchmarks/figures.py $(BENCH_ARGS)

venv: $(VENV)/.made ## make the environment, still empty (to install torch first)

clean: ## remove results and caches
	rm -rf out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find graphc tests examples -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

distclean: clean ## remove the environments as well
	rm -rf $(VENV) $(DEMO)

# Environments. `.made`: it exists and has pip; `.installed`: graphc and its dependencies are in it.
# An environment that is already there is used as it is, whatever else is installed in it;
# a change of pyproject.toml installs again, on top.

%/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "graphc needs Python 3.11 or newer, '$(PYTHON)' is not; try: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(@D)/bin/python -m pip --version >/dev/null 2>&1 || \
	  $(PYTHON) -m venv $(@D) >/dev/null 2>&1 || \
	  { $(PYTHON) -m venv --without-pip $(@D) && $(PYTHON) -m pip --python $(@D)/bin/python install -qq pip; } || \
	  { echo "cannot make an environment with '$(PYTHON)': it has neither ensurepip nor pip; install one of them (on Debian: the package python3-venv)" >&2; exit 1; }
	@touch $@

$(VENV)/.installed: pyproject.toml | $(VENV)/.made
	$(PY) $(INSTALL) --editable ".[test,dev]"
	@touch $@

# Not editable: what runs is what the wheel holds.
$(DEMO)/.installed: pyproject.toml $(SOURCES) | $(DEMO)/.made
	$(DEMO)/bin/python $(INSTALL) .
	@touch $@
