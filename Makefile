# make demo      the whole line on a real photograph of coins, from nothing installed to the report
# make test      lint, types, import contracts and tests
# make check     the same without the tests
# make format    lay out the code
# make bench     measure beside the peers and print the tables of BENCHMARKS.md (hours; needs FACTORY_DATA)

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test check format bench

demo: .venv/installed
	$(BIN)/factory run experiment=coins

test: check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=2 --dist=worksteal

check: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/installed-dev
	$(BIN)/python -m pytest tests/benchmarks -m "" -s

.venv/ready:
	@sh tests/prerequisites.sh $(PYTHON)
	$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: .venv/ready pyproject.toml constraints.txt
	@echo "installing, about 8 GB: some minutes …"
	$(INSTALL) --editable .
	@touch $@

.venv/installed-dev: .venv/ready pyproject.toml constraints.txt
	@echo "installing with the development tools, about 8 GB: some minutes …"
	$(INSTALL) --editable ".[dev]"
	@touch $@ .venv/installed
