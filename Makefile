# `make` lists the targets. Everything runs from .venv, which the first target that needs it builds.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help sandbox test test-fast check bench pictures docs run lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

sandbox: $(READY) ## try it: the real service, an embedded Postgres, stand-in Slack and AWS, one page
	$(BIN)/switchgate sandbox

# As many workers as cores. A test starts threads and processes of its own, so that more workers only slow each other
# down until time-outs are reached. A file stays on one worker; tests/selection.py orders the files, not xdist.
test: $(READY) ## run every test
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

test-fast: $(READY) ## run the tests that need no Postgres, browser or other process
	$(BIN)/pytest -m "not service and not slow"

check: $(READY) ## ruff, mypy --strict, the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

pictures: $(READY) ## draw the cards that the documentation shows (needs Chromium)
	$(BIN)/python -m tests.browser.card_pictures

bench: $(READY) ## measure speed as ratios against floors of the same run
	$(BIN)/python -m tests.bench

docs: $(READY) ## write docs/configuration.md anew from the settings
	$(BIN)/python -m tests.docs.configuration_reference

run: $(READY) ## run the service from your environment variables (see docs/configuration.md)
	$(BIN)/switchgate migrate
	$(BIN)/switchgate serve

lock: $(READY) ## resolve the dependencies again into requirements*.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --extra otel pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --extra sandbox --extra otel --group dev pyproject.toml -o requirements-dev.lock

clean: ## remove what make built
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .sandbox

$(READY): pyproject.toml requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else "Switchgate needs Python 3.11 to 3.13; $(PYTHON) is %d.%d. Try: make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check "$$(grep -oE '^uv==[0-9.]+' requirements-dev.lock)"
	UV_PYTHON_DOWNLOADS=never VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r requirements-dev.lock
	UV_PYTHON_DOWNLOADS=never VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	@touch $@
