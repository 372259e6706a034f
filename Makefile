# `make` lists these targets. `make run` and `make test` are all the set-up there is.
PYTHON ?= python3
PORT ?= 8000
# One more than cores: tests of time-outs and of browsers wait now and then; more of them only wait for processors.
TESTERS ?= $(shell expr 1 + $$(getconf _NPROCESSORS_ONLN))
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help run test lint format check lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/runtime: requirements-v1.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Practika needs Python 3.11 or newer.")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-v1.txt
	touch $@

.venv/development: .venv/runtime requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

run: .venv/runtime  ## start the site and its worker on SQLite with demo data (PORT=8000)
	@$(BIN)/python manage.py migrate --verbosity 0
	@DJANGO_LOG_LEVEL=WARNING $(BIN)/python manage.py seed_demo --if-empty
	@echo "Practika is at http://localhost:$(PORT)/ (Ctrl-C stops it)"
	@export DJANGO_LOG_LEVEL=$${DJANGO_LOG_LEVEL:-WARNING} DJANGO_BASE_URL=$${DJANGO_BASE_URL:-http://localhost:$(PORT)}; \
	  $(BIN)/python manage.py worker & worker=$$!; trap 'kill $$worker 2>/dev/null; wait $$worker' EXIT; \
	  $(BIN)/python -m gunicorn practika_project.wsgi:application --bind 127.0.0.1:$(PORT)

test: export PYTHONDONTWRITEBYTECODE =
test: .venv/development  ## run the whole test suite, and its functional tests on a production stack too
	$(BIN)/python -m compileall -q accounts comments core exercises practika_project tests  # for hundreds of processes
	$(BIN)/python -m pytest -q -n $(TESTERS) --dist loadgroup --timeout 240
	$(BIN)/python -m tests.stack -q -n $(TESTERS) --dist loadgroup --timeout 240

lint: .venv/development  ## check format, style, types, import directions, templates, JavaScript, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache --config .importlinter
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/djlint --lint --quiet --profile=django templates
	$(BIN)/oxlint --quiet static/js
	$(BIN)/codespell

format: .venv/development  ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: lint test  ## everything CI runs

lock: .venv/development  ## compile the pinned requirements
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q requirements-v1.in -o requirements-v1.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q requirements-dev.in -o requirements-dev.txt

clean:  ## remove what make made, but neither database nor media
	rm -rf .venv staticfiles .pytest_cache .mypy_cache .ruff_cache
