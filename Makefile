# make demo | test | bench | soak | fuzz | results | bounds | lint | clean ...; `make help` says what each does.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help warm demo test test-all-cells test-kills test-clients test-compat lint bench coverage soak fuzz calibration results bounds clean
help:
	@echo "make warm   install, and compile all there is, in parallel; the targets below do it first"
	@echo "make demo   install, train an agent, benchmark it: results/demo/"
	@echo "make test   install, then lint, types and all tests"
	@echo "make test-all-cells  the environments equal DREAM, and giving up does not pay, on every cell"
	@echo "make test-kills  commands are killed at random moments, lose nothing and leave nobody behind"
	@echo "make test-clients  learning runs with the libraries that people use"
	@echo "make test-compat  the environments on the oldest Gymnasium, and under Ray RLlib, which needs it"
	@echo "make bench  speed of the engine and of the environment"
	@echo "make coverage  branch coverage with all code interpreted"
	@echo "make soak   20,000 random workloads, engine against reference; resumes"
	@echo "make fuzz   20,000 workloads of awkward numbers: exact, or refused in one sentence"
	@echo "make calibration  the loads at which deadlines begin to be missed, for all cells"
	@echo "make results  all suites, and docs/results.md from their tables; resumes"
	@echo "make bounds  docs/bounds.md, docs/bounds_long.md: how far schedulers are from the best possible; resumes"
	@echo "make clean  remove the environment and everything generated"

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "dream_gym needs Python 3.10 or later: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[train,bench,tune,bounds,zigzag,dev]"
	touch $@

warm: $(STAMP)
	$(BIN)/dream-gym warm

demo: warm
	rm -rf results/demo
	$(BIN)/python train.py --algo es --suite demo --hyper start=shipped:generalist --hyper step_size=0.1 \
		--timesteps 20 --output results/demo/agent
	$(BIN)/dream-gym benchmark --suite demo --agent results/demo/agent --output results/demo

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: $(STAMP)
	$(MAKE) --jobs=2 lint warm
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-all-cells: warm
	DREAM_GYM_EVERY=1 $(BIN)/python -m pytest --numprocesses auto tests/envs/test_equivalence.py \
		tests/envs/test_rewards.py

test-kills: $(STAMP)
	$(BIN)/python -m tests.kills

test-clients: $(STAMP)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[clients]"
	$(BIN)/python -m pytest tests/clients --override-ini "norecursedirs=rllib"

COMPAT := .venv-compat
COMPAT_STAMP := $(COMPAT)/.installed

$(COMPAT_STAMP): pyproject.toml
	$(PYTHON) -m venv $(COMPAT)
	$(COMPAT)/bin/pip install --quiet torch==2.13.0
	$(COMPAT)/bin/pip install --quiet gymnasium==1.2.2 --editable ".[train,bench,dev,rllib]"
	touch $@

test-compat: $(COMPAT_STAMP)
	$(COMPAT)/bin/python -m pytest tests/envs tests/clients/rllib --override-ini "norecursedirs="

bench: $(STAMP)
	$(BIN)/pip install --quiet --no-deps jssenv plotly narwhals imageio
	$(BIN)/python -m tests.bench

coverage: $(STAMP)
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest --numprocesses auto --cov=dream_gym --cov-branch \
		--cov-report=term-missing:skip-covered --cov-fail-under=95

soak: warm
	mkdir -p results
	$(BIN)/python -m tests.soak

fuzz: warm
	DREAM_GYM_FUZZ=20000 $(BIN)/python -m pytest tests/simulator/test_wild.py

calibration: warm
	$(BIN)/dream-gym calibrate --output configs/calibration.csv --page docs/calibration.md

SUITES := generated stress changing asplos23 asplos23_as_shipped xrbench robust edge online sweep

results: warm
	set -e; for suite in $(SUITES); do $(BIN)/dream-gym benchmark --suite $$suite; done
	$(BIN)/dream-gym results $(addprefix results/,$(SUITES)) \
		--template docs/templates/results.md --page docs/results.md

bounds: warm
	$(BIN)/dream-gym bounds --suite windows --page docs/bounds.md
	$(BIN)/dream-gym bounds --suite windows_long --limit 0 --generations 20 --page docs/bounds_long.md

clean:
	rm -rf $(VENV) $(COMPAT) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis results
	find . -name __pycache__ -not -path "./.git/*" -prune -exec rm -rf {} +
