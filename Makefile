# Kith: the commands of the house. `make` lists them.
#
# Every command installs what it needs first, which takes no time once it is there.

.DEFAULT_GOAL := help
.PHONY: help run stop clock seed migrate test proof mutants bench round-trips lint format openapi lock install clean

SHELL := /bin/sh
PYTHON := .venv/bin/python
INSTALL := python3 local/install.py
WORKERS ?= 2

help: ## list these commands
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nSettings, before or after the command: PORT=8001, KITH_CLOUD_HOME=/some/folder,\n'
	@printf 'DATABASE_URL=…, AWS_ENDPOINT_URL=…, STRIPE_API_KEY=sk_test_… STRIPE_WEBHOOK_SECRET=whsec_…\n'

##@ Run it on this machine

run: ## start everything, with demo data, at http://127.0.0.1:8000; Ctrl-C stops it
	@$(INSTALL)
	@$(PYTHON) -m local run

stop: ## stop what `make run` started elsewhere
	@$(INSTALL)
	@$(PYTHON) -m local stop

clock: ## move the clock of what runs: ARGS="+25h" (+90m, +3d, +2w), show, reset
	@$(INSTALL)
	@$(PYTHON) -m local clock -- $(ARGS)

seed: ## load the demo data, or what is missing of it
	@$(INSTALL)
	@$(PYTHON) -m local seed

migrate: ## bring the database to the newest schema
	@$(INSTALL)
	@$(PYTHON) -m local migrate

##@ Change it

test: ## every test; ARGS="tests/local -k clock" for some, WORKERS=4 on a larger machine
	@$(INSTALL)
	@$(PYTHON) -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

proof: ## try every promise of docs/guarantees.md, within an hour; ARGS=--short as CI does, ARGS=ledger for some
	@$(INSTALL)
	@$(PYTHON) -m tests.faults $(ARGS)

mutants: ## put small faults into the program, which tests must notice, 30 minutes; ARGS=ledger for some
	@$(INSTALL)
	@$(PYTHON) -m tests.mutants $(ARGS)

bench: ## measure the goals for speed, 15 minutes; ARGS=--strict fails a missed one, ARGS=warm for some
	@$(INSTALL)
	@$(PYTHON) -m bench $(ARGS)

round-trips: ## count every operation's round trips; ARGS=--write publishes those that fell
	@$(INSTALL)
	@$(PYTHON) -m tests.architecture.round_trips $(ARGS)

lint: ## ruff, mypy and import-linter
	@$(INSTALL)
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports

format: ## let ruff put the code in form
	@$(INSTALL)
	@$(PYTHON) -m ruff check --fix
	@$(PYTHON) -m ruff format

openapi: ## write docs/openapi.json from the handlers
	@$(INSTALL)
	@$(PYTHON) -m local openapi

##@ Look after it

install: ## install everything into .venv and .cloud
	@$(INSTALL)

lock: ## resolve requirements*.in anew into requirements*.txt, with hashes
	@$(INSTALL)
	@for set in requirements requirements-dev requirements-cloud; do \
	  $(PYTHON) -m uv pip compile --universal --generate-hashes --python-version 3.11 \
	    --no-emit-index-url --no-header --quiet $$set.in --output-file $$set.txt || exit 1; \
	done

clean: ## remove what was installed and made: environments, databases, logs, caches
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m local stop 2>/dev/null || true; fi
	@python3 -c 'import shutil; from local.paths import readable_home as home; shutil.rmtree(home(), True)'
	rm -rf .venv .cloud .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
