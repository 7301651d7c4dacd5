# make run     install the environment, if needed, and run the default study (needs Python >= 3.11)
# make test    lint and all tests, except those on a SLURM cluster
# make test-slurm    start a SLURM cluster, run a small study on it, interrupted in six ways, stop it
# make test-slurm-full    the same with the default study
# make bench   compare the speed with the usual libraries; writes benchmarks/results.json
# make lint    ruff, snakefmt, mypy, snakemake --lint
# make format  ruff and snakefmt
# make docs    config/README.md from the schema and the registry, docs/tables.md from the data
#              dictionary; numbers of pages from docs/tables/
# make docs-check    compare the numbers of pages with docs/tables/ (docs/check.py)
# make lock    resolve envs/*.in again (needs uv)
# make clean   remove .venv and .snakemake
#
# TORCH="torch… torchvision…" with any of these: requirements or wheels, and options of pip, that are
# installed instead of the locked torch (and torchvision, if named) and the CUDA packages. The choice
# is remembered until TORCH is set again.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TESTING := $(VENV)/.testing
TORCH ?= $(shell cat $(VENV)/.torch 2>/dev/null)
export TORCH
# Packages that TORCH replaces.
REPLACED := torch|$(and $(findstring torchvision,$(TORCH)),torchvision|)nvidia-[^=]*|cuda-[^=]*
# Dependencies that nothing here imports: torch's compilers for torch.compile; those of
# imagecorruptions, of which tests read the sources and photographs (opencv-python would replace
# the files of opencv-python-headless).
UNUSED := triton cuda-bindings cuda-pathfinder \
	opencv-python scikit-image imageio lazy-loader tifffile
PACKAGE := pyproject.toml envs/requirements.in \
	$(shell find workflow/scripts/campare workflow/schemas -name '*.py' -o -name '*.yaml')

.PHONY: run test test-slurm test-slurm-full bench lint format docs docs-check lock environment testing clean FORCE

run: environment
	$(BIN)/python -m snakemake --cores all --logger campare

# Two processes share the cores: threads that wait for others must not do so at full load.
test: lint
	OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

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
	$(BIN)/python docs/check.py
	$(BIN)/snakemake --lint
	$(BIN)/snakemake --lint --configfile config/fashion.yaml
	$(BIN)/snakemake --lint --configfile config/evidence.yaml
	$(BIN)/snakemake --lint --configfile config/shapes.yaml

format: testing
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

environment: $(VENV)/.package

# The environment with the packages for tests and lint.
testing: environment $(TESTING)

# --no-deps: the lock files name every package. Compiled separately, because pip uses one core.
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

# Without build isolation: the build packages are in the lock file, so nothing is downloaded.
BUILD = $(PIP) --quiet --no-build-isolation --no-index --force-reinstall

$(VENV)/.logger: $(STAMP) $(wildcard workflow/logger/*.toml workflow/logger/*/*.py)
	$(BUILD) ./workflow/logger
	touch $@

# The package for notebooks; jobs use the working tree. Remains of an earlier build would get into the
# wheel, so they are removed.
$(VENV)/.package: $(VENV)/.logger $(PACKAGE)
	rm -rf build workflow/scripts/campare.egg-info
	$(BUILD) .
	rm -rf build workflow/scripts/campare.egg-info
	touch $@

# Keeps versions if possible; `uv pip compile --upgrade` would change them.
LOCK = uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	$(addprefix --no-emit-package ,$(UNUSED))

lock:
	$(LOCK) envs/requirements.in -o envs/requirements.lock
	$(LOCK) $$(sed -n 's/^\([^ =]*\)==.*/--no-emit-package \1/p' envs/requirements.lock) \
		--overrides envs/requirements.lock envs/test.in -o envs/test.lock

clean:
	rm -rf $(VENV) .snakemake

docs: environment
	PYTHONPATH=workflow/scripts $(BIN)/python -m campare.reference > config/README.md
	PYTHONPATH=workflow/scripts $(BIN)/python -m campare.reference tables > docs/tables.md
	$(BIN)/python docs/check.py --write

docs-check: environment
	$(BIN)/python docs/check.py
