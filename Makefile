# The two commands of a newcomer are `make demo` and `make test`; `make help` lists the rest.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo servers test coverage serve check lint bench chaos sharing soak lock clean

help: ## list these commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

.venv/installed: requirements.lock setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	@echo "Installing the locked dependencies into .venv (half a minute, once) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

.venv/test: .venv/installed requirements-test.lock
	@echo "Installing what the tests need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	@touch $@

servers: .venv/test
	@tests/install-postgresql
	@tests/install-proxies
	@tests/install-ip

demo: .venv/installed ## pretend Xima, adapter, one click and one lead; ARGS=--once leaves after the round trip
	@$(BIN)/xima-adapter demo $(ARGS)

test: servers ## the whole suite, in SHARDS=4 processes; with ARGS, which are pytest's, in one
	$(BIN)/python tests/shards.py $(ARGS)

coverage: servers ## the same, slower, and what of adapter/ it goes through
	@$(BIN)/coverage erase
	COVERAGE=yes $(BIN)/python tests/shards.py $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

serve: .venv/installed ## the adapter on this machine; settings come from the environment
	@$(BIN)/xima-adapter serve $(ARGS)

check: .venv/installed ## load the mappings and run their examples
	@$(BIN)/xima-adapter check $(ARGS)

lint: .venv/test ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/test ## measure against the bare baselines, into benchmarks/results.md; ARGS='--store postgres' on the other store
	$(BIN)/python -m benchmarks --write benchmarks/results.md $(ARGS)

chaos: .venv/test ## kill 100 processes under load and count what was lost or doubled; ARGS='--store postgres'
	$(BIN)/python -m benchmarks.chaos $(ARGS)

sharing: .venv/test ## 5,000 callbacks in one PostgreSQL, shared by 4 dispatchers; lost and doubled must be 0
	$(BIN)/python -m benchmarks.sharing $(ARGS)

soak: .venv/test ## ten minutes of steady load with faults: memory, descriptors, the books; ARGS='--minutes 60 --rate 100'
	$(BIN)/python -m benchmarks.soak $(ARGS)

lock: .venv/test ## choose versions anew and write both lock files
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --upgrade $(LOCK) --extra postgres -o requirements.lock setup.cfg
	$(BIN)/pip-compile --quiet --upgrade $(LOCK) --extra postgres --extra test -c requirements.lock -o requirements-test.lock setup.cfg

LOCK := --generate-hashes --strip-extras --allow-unsafe --no-emit-options --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --no-annotate

clean: ## remove what the commands above made
	rm -rf .venv .coverage* .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info
