# `make demo` runs a race and its live map; `make test` runs every test. Both set up all they need.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := .stamps
FAST   := not stack and not browser and not compose

.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(STAMPS)/runtime: requirements.txt
	@mkdir -p $(STAMPS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Racecast needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(STAMPS)/dev: $(STAMPS)/runtime requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

setup: $(STAMPS)/runtime ## the virtual environment with what Racecast runs on

setup-dev: $(STAMPS)/dev ## the same with what the tests and checks need

lock: ## pin requirements*.in anew
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet uv
	for list in requirements requirements-dev; do \
	  .venv-lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	    $$list.in -o $$list.txt || exit 1; \
	done
	rm -rf .venv-lock

demo: $(STAMPS)/runtime ## a race and its live map on this machine; Ctrl-C ends it
	@$(BIN)/python demo.py

test: tools check $(STAMPS)/dev ## everything: ruff, mypy, all tests with the real Kafka, Pinot, browser and Docker, coverage
	@$(BIN)/python -m pinot.local fetch || true
	rm -f .coverage .coverage.*
	@$(MAKE) --no-print-directory -k -j2 --output-sync=target test-stack test-rest test-browser test-compose test-simulator
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# Two at a time, in the order in which both end together: most tests wait for others' processes most of the time.
test-stack: # what shares the real Kafka and Pinot
	$(BIN)/coverage run -m pytest -ra -m "stack"
test-compose: tools $(STAMPS)/dev ## docker-compose.yml, run for real
	$(BIN)/coverage run -m pytest -ra -m "compose"
test-browser:
	$(BIN)/coverage run -m pytest -ra -m "browser and not stack"
test-simulator:
	$(BIN)/coverage run -m pytest -ra -m "$(FAST)" tests/simulator
test-rest:
	$(BIN)/coverage run -m pytest -ra -m "$(FAST)" --ignore tests/simulator

test-fast: $(STAMPS)/dev ## the tests that need neither Kafka and Pinot nor a browser nor Docker
	$(BIN)/pytest -m "$(FAST)"

tools:
	@tests/tools.sh

check: $(STAMPS)/dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

schemas: $(STAMPS)/runtime ## write pinot/schemas from the events in stream/events
	$(BIN)/python -m pinot.admin.schemas

stack: $(STAMPS)/runtime ## the real Kafka and Pinot on this machine, without Docker, set up for races
	$(BIN)/python -m pinot.local start
	$(BIN)/python -m pinot setup

stack-stop: ## end what `make stack` started; its data stays in .run/stack
	$(BIN)/python -m pinot.local stop

bench: tools $(STAMPS)/dev ## measure everything, and write the results into benchmarks/README.md
	$(BIN)/python -m benchmarks

torture: tools $(STAMPS)/dev ## faults, load and hostile input at full length (about an hour), and the table of what came of it
	$(BIN)/python -m tests.torture

screenshots: tools $(STAMPS)/dev ## make the pictures of the documentation anew
	$(BIN)/python -m tests.browser.screenshots

clean: ## remove everything that the targets above made
	-test ! -d .run/stack || $(BIN)/python -m pinot.local stop
	rm -rf .run .cache $(VENV) $(STAMPS) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

.PHONY: help setup setup-dev demo test test-stack test-compose test-browser test-simulator test-rest test-fast tools lock check schemas stack stack-stop bench torture screenshots clean
