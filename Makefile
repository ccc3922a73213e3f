# Everything that people run. `make demo` and `make test` need nothing but Python and, the first time, a network.
.DEFAULT_GOAL := help
.PHONY: help setup demo test long parity drills pictures bench check format handbook openapi lock

bin := .venv/bin

help:  ## say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

setup:  ## make .venv with everything needed
	@scripts/setup

demo: setup  ## serve an invented municipality at 127.0.0.1:8000
	@$(bin)/allocator demo

test: setup  ## run all tests
	@$(bin)/python -m pytest -n auto --dist worksteal --ignore tests/pages --cov --cov-report=
	@$(bin)/python -m pytest -n auto --dist loadfile tests/pages --cov --cov-append --cov-report=term --cov-fail-under=94

long: setup  ## run the property tests with many more examples, and axe on each page in each language at each width
	@ALLOCATOR_HYPOTHESIS=long $(bin)/python -m pytest -n auto tests/properties
	@ALLOCATOR_AXE=all $(bin)/python -m pytest tests/pages/test_every_page.py

parity: setup  ## compare the engines on a million verdicts
	@$(bin)/python -m tests.parity

drills: setup  ## races, kills, power cuts, full disk, lost databases, false alarms, tampering, fuzzing, in their long forms
	@$(bin)/python -m tests.drills.race --rounds 100
	@$(bin)/python -m tests.drills.kills --kills 50
	@$(bin)/python -m tests.drills.power_cut --cuts 5000
	@$(bin)/python -m tests.drills.disk_full
	@$(bin)/python -m tests.drills.pauses
	@$(bin)/python -m tests.drills.alarms --verifications 200
	@ALLOCATOR_TAMPERING=100 $(bin)/python -m pytest -q tests/test_tampering.py
	@ALLOCATOR_FUZZ=20 $(bin)/python -m pytest -q tests/test_office_fuzzed.py

pictures: setup  ## take a picture of every page, for docs/pages
	@$(bin)/python -m tests.pages.pictures

bench: setup  ## measure beside other engines, and write the tables in bench/README.md
	@$(bin)/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps --no-build-isolation \
	    -r requirements/bench.txt
	@$(bin)/python -m bench

check: setup  ## lint, types, import contracts, and generated files
	@$(bin)/ruff check .
	@$(bin)/ruff format --check .
	@$(bin)/mypy
	@$(bin)/lint-imports --no-cache
	@$(bin)/python scripts/generate.py --check

format: setup  ## format the code
	@$(bin)/ruff check --fix --quiet . ; $(bin)/ruff format .

handbook openapi: setup  ## write the generated documents anew
	@$(bin)/python scripts/generate.py

lock: setup  ## choose the newest versions of what we depend on, with hashes
	@set -e; compile="$(bin)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --quiet --upgrade"; \
	  $$compile requirements/build.in -o requirements/build.txt; \
	  $$compile pyproject.toml -o requirements/base.txt; \
	  $$compile pyproject.toml --extra dev --extra cluster -o requirements/dev.txt; \
	  $$compile pyproject.toml --extra bench -o requirements/bench.txt
