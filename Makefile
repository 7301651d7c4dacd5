# make run     the default study, from a bare machine with Python >= 3.11
# make test    all tests but those on a SLURM cluster
# make test-slurm    a small study on a SLURM cluster, which it starts and stops, with every fault
# make test-slurm-full    the same with the default study
# make bench   how many times as fast as others, in benchmarks/results.json; on an idle machine
# make lint    ruff, snakefmt, mypy, snakemake --lint
# make docs    config/README.md from the schema and the registry
# make lock    resolve envs/requirements.in anew (needs uv)
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run test test-slurm test-slurm-full bench lint format docs lock environment clean

run: environment
	$(BIN)/python -m snakemake --cores all --logger campare

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# Needs root, and Debian's slurm-wlm and munge.
test-slurm test-slurm-full: environment
	@tests/slurm/cluster.sh check
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest tests/slurm \
		$(if $(filter %-full,$@),--study config/config.yaml)

bench: environment
	$(BIN)/python benchmarks/bench.py

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(BIN)/snakemake --lint
	$(BIN)/snakemake --lint --configfile config/fashion.yaml
	$(BIN)/snakemake --lint --configfile config/evidence.yaml
	$(BIN)/snakemake --lint --configfile config/shapes.yaml

format: environment
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

environment: $(VENV)/.logger

# --no-deps: the lock names everything.
$(STAMP): envs/requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "campare needs Python 3.11 or later; set PYTHON=python3.x")'
	@echo "Installing what campare needs into $(VENV), once: $$(grep -c == $<) packages, 2.5 GB to download, 6 GB on the disk (CUDA's share; less on a Mac); about five minutes."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --no-deps --no-compile --require-hashes -r $<
	$(BIN)/python -W ignore -m compileall -qq -j 0 $(VENV)/lib || true  # pip takes one core for it
	touch $@

# Without isolation: what builds it is in the lock, and nothing is fetched.
$(VENV)/.logger: $(STAMP) $(wildcard workflow/logger/*.toml workflow/logger/*/*.py)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index --force-reinstall ./workflow/logger
	touch $@

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		envs/requirements.in -o envs/requirements.lock

clean:
	rm -rf $(VENV) .snakemake

docs: environment
	PYTHONPATH=workflow/scripts $(BIN)/python -m campare.reference > config/README.md
