# make run     the default study, from a bare machine with Python >= 3.11
# make test    all tests but those on a SLURM cluster
# make test-slurm    a small study on a SLURM cluster, which it starts and stops, with every fault
# make test-slurm-full    the same with the default study
# make bench   how many times as fast as others, in benchmarks/results.json; on an idle machine
# make lint    ruff, snakefmt, mypy, snakemake --lint
# make docs    config/README.md from the schema and the registry
# make lock    resolve envs/*.in anew (needs uv)
#
# TORCH="torch… torchvision…" with any of these: what pip installs in the place of the locked torch
# (and torchvision, where named) and of CUDA, requirements or wheels, and pip's options; remembered
# until TORCH is another.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TESTING := $(VENV)/.testing
TORCH ?= $(shell cat $(VENV)/.torch 2>/dev/null)
export TORCH
# What TORCH stands in for.
REPLACED := torch|$(and $(findstring torchvision,$(TORCH)),torchvision|)nvidia-[^=]*|cuda-[^=]*
# What torch asks for and nothing here imports: compilers for torch.compile.
UNUSED := triton cuda-bindings cuda-pathfinder
PACKAGE := pyproject.toml envs/requirements.in \
	$(shell find workflow/scripts/campare workflow/schemas -name '*.py' -o -name '*.yaml')

.PHONY: run test test-slurm test-slurm-full bench lint format docs lock environment testing clean FORCE

run: environment
	$(BIN)/python -m snakemake --cores all --logger campare

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# Needs root, and Debian's slurm-wlm and munge.
test-slurm test-slurm-full: testing
	@tests/slurm/cluster.sh check
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest tests/slurm \
		$(if $(filter %-full,$@),--study config/config.yaml)

bench: environment
	$(BIN)/python benchmarks/bench.py

lint: testing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(BIN)/snakemake --lint
	$(BIN)/snakemake --lint --configfile config/fashion.yaml
	$(BIN)/snakemake --lint --configfile config/evidence.yaml
	$(BIN)/snakemake --lint --configfile config/shapes.yaml

format: testing
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

environment: $(VENV)/.package

# And what tests and lint need.
testing: environment $(TESTING)

# --no-deps: the locks name everything. pip takes one core to compile.
PIP = $(BIN)/python -m pip install --no-deps
COMPILE = $(BIN)/python -W ignore -m compileall -qq -j 0 $(VENV)/lib || true

$(STAMP): envs/requirements.lock $(VENV)/.torch
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "campare needs Python 3.11 or later; set PYTHON=python3.x")'
	@echo "Installing what campare needs into $(VENV), once: $$(grep -c == $<) packages, $(if $(TORCH),without CUDA's: 0.3 GB to download beside torch,2.9 GB to download, 5.5 GB on the disk (CUDA's share; less on a Mac)); about five minutes."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --no-compile --require-hashes -r <(awk '/^[^ ]/ { kept = !ENVIRON["TORCH"] || !/^($(REPLACED))==/ } kept' $<)
	$(if $(TORCH),$(PIP) --no-compile $$TORCH)
	$(COMPILE)
	touch $@

$(TESTING): envs/test.lock $(STAMP)
	$(PIP) --no-compile --require-hashes -r $<
	$(COMPILE)
	touch $@

$(VENV)/.torch: FORCE
	@mkdir -p $(VENV)
	@echo "$$TORCH" | cmp --quiet - $@ || echo "$$TORCH" > $@

# Without isolation: what builds it is in the lock, and nothing is fetched.
BUILD = $(PIP) --quiet --no-build-isolation --no-index --force-reinstall

$(VENV)/.logger: $(STAMP) $(wildcard workflow/logger/*.toml workflow/logger/*/*.py)
	$(BUILD) ./workflow/logger
	touch $@

# For notebooks; jobs run the working tree's. What an earlier build left would go into the wheel.
$(VENV)/.package: $(VENV)/.logger $(PACKAGE)
	rm -rf build workflow/scripts/campare.egg-info
	$(BUILD) .
	rm -rf build workflow/scripts/campare.egg-info
	touch $@

# Versions stay as they are where they may; `uv pip compile --upgrade` would change them.
LOCK = uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	$(addprefix --no-emit-package ,$(UNUSED))

lock:
	$(LOCK) envs/requirements.in -o envs/requirements.lock
	$(LOCK) $$(sed -n 's/^\([^ =]*\)==.*/--no-emit-package \1/p' envs/requirements.lock) \
		--constraints envs/requirements.lock envs/test.in -o envs/test.lock

clean:
	rm -rf $(VENV) .snakemake

docs: environment
	PYTHONPATH=workflow/scripts $(BIN)/python -m campare.reference > config/README.md
