# `make demo` runs races and their live map; `make test` runs every test. Both install what they need.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := .stamps
PYTEST := $(BIN)/pytest
LIVE   := $(wildcard $(addprefix tests/browser/test_,live.py board.py views.py timeline.py map.py density.py forecasts.py))
FAST   := not stack and not browser and not compose
# make 3.81 (macOS) can't keep the output of parallel targets apart.
SYNC   := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.DEFAULT_GOAL := help

help: ## show this list
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

setup: $(STAMPS)/runtime ## create the virtual environment with Racecast's dependencies

setup-dev: $(STAMPS)/dev ## the same, with the dependencies of tests and checks

lock: ## update the pinned requirements
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet uv
	for list in requirements requirements-dev; do \
	  .venv-lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	    $$list.in -o $$list.txt || exit 1; \
	done
	rm -rf .venv-lock

demo: $(STAMPS)/runtime ## run races and their live map on this machine; Ctrl-C stops it
	@$(BIN)/python demo.py

test: tools check $(STAMPS)/dev ## run ruff, mypy and all tests (with real Kafka, Pinot and browser)
	@$(BIN)/python -m pinot.local fetch --registry 0 || true
	@$(MAKE) --no-print-directory -k -j3 $(SYNC) test-stack test-browser-live test-browser-pages test-simulator test-rest

coverage: tools $(STAMPS)/dev ## measure which lines the tests run, the browser's left out
	@$(BIN)/python -m pinot.local fetch --registry 0 || true
	rm -f .coverage .coverage.*
	@$(MAKE) --no-print-directory -k -j2 $(SYNC) PYTEST="$(BIN)/coverage run -m pytest" test-stack test-simulator test-rest
	$(BIN)/coverage combine --quiet
	@for package in stream simulator pinot dashboard; do $(BIN)/coverage report --include="$$package/*" || exit 1; done

# Three at a time on two cores, the long ones first: most tests spend their time waiting for other processes.
test-stack: # tests that share the real Kafka and Pinot
	$(PYTEST) -ra --durations=12 -m "stack"
test-browser: test-browser-live test-browser-pages
test-browser-live:
	$(PYTEST) -ra --durations=12 -m "browser and not stack" $(LIVE)
test-browser-pages:
	$(PYTEST) -ra --durations=12 -m "browser and not stack" $(LIVE:%=--ignore %)
test-simulator:
	$(PYTEST) -ra --durations=12 -m "$(FAST)" tests/simulator
test-rest:
	$(PYTEST) -ra --durations=12 -m "$(FAST)" --ignore tests/simulator

test-fast: $(STAMPS)/dev ## run the tests that need no Kafka, Pinot, browser or Docker
	$(BIN)/pytest -m "$(FAST)"

test-compose: $(STAMPS)/dev ## run docker-compose.yml on a Docker engine and test it (ten minutes; not part of make test)
	@tests/tools.sh compose
	$(BIN)/pytest -ra -m "compose"

test-pythons: ## run the fast tests with every Python from 3.11 to 3.14 on this machine
	@tests/pythons.sh

tools:
	@tests/tools.sh

check: $(STAMPS)/dev ## check with ruff, mypy and import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

schemas: $(STAMPS)/runtime ## generate pinot/schemas from the events in stream/events
	$(BIN)/python -m pinot.admin.schemas

stack: $(STAMPS)/runtime ## start Kafka and Pinot on this machine, without Docker, and set them up
	$(BIN)/python -m pinot.local start
	$(BIN)/python -m pinot setup

stack-stop: ## stop Kafka and Pinot; the data remains in .run/stack
	$(BIN)/python -m pinot.local stop

bench: tools $(STAMPS)/dev ## run the benchmarks and write the results to benchmarks/README.md
	$(BIN)/python -m benchmarks

torture: tools $(STAMPS)/dev ## test with faults, load and hostile input at full length (about an hour), and report the results
	$(BIN)/python -m tests.torture

screenshots: tools $(STAMPS)/dev ## update the screenshots in the documentation
	$(BIN)/python -m tests.browser.screenshots

clean: ## remove everything that the other targets created
	-test ! -d .run/stack || $(BIN)/python -m pinot.local stop
	rm -rf .run .cache $(VENV) $(STAMPS) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

.PHONY: help setup setup-dev demo test test-stack test-compose test-browser test-browser-live test-browser-pages test-simulator test-rest test-fast test-pythons coverage tools lock check schemas stack stack-stop bench torture screenshots clean
