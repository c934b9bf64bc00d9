# `make demo` and `make test` are all that is needed; both can be repeated and are quick the second time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo samples sample-verdicts test references answers validity fuzz soak install-check peers lint bubblewrap clean other-machines windows bench gpu

demo: $(STAMP) bubblewrap
	@env -u GRADER_DATA $(BIN)/grade submissions/ --assignment a1 || [ $$? -eq 1 ]  # 1: one has no notebook

samples: $(STAMP) bubblewrap  # all four assignments; a quarter of an hour, for fixes of scripts are run
	@env -u GRADER_DATA $(BIN)/grade submissions/ || [ $$? -eq 1 ]

sample-verdicts: $(STAMP) bubblewrap  # some ten minutes: the fixes in the samples of assignment 2 come to what they must
	$(BIN)/python -m pytest tests/test_script_samples.py -m samples --timeout 0

test: $(STAMP) bubblewrap lint  # two at a time: more would be held up by each other's trainings
	$(BIN)/python -m pytest -n 2 --dist loadfile

references: $(STAMP) bubblewrap
	env -u GRADER_DATA $(BIN)/python -m pytest reference_solutions

validity: $(STAMP) bubblewrap  # takes hours; type it again to go on
	$(BIN)/python -m grader.validity --data "$${GRADER_DATA:-../shared/data}" $(VALIDITY)

bench: $(STAMP) bubblewrap  # half an hour on an idle machine; the other graders need internet once
	$(BIN)/python benchmarks/rooms.py --data "$${GRADER_DATA:-../shared/data}" $(BENCH)

fuzz: $(STAMP)
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-10000} $(BIN)/python -m pytest tests/fuzz --timeout 0

soak: $(STAMP) bubblewrap
	$(BIN)/python -m pytest tests/hostile/test_soak.py -m soak -s --timeout 0

install-check: $(STAMP)  # needs the package index, some minutes and 4 GB of disk
	$(BIN)/python -m pytest tests/student/test_installs.py -m install -s --timeout 0

gpu: $(STAMP) bubblewrap  # on a machine with NVIDIA GPUs; needs TensorFlow with CUDA, see docs/gpu.md
	-$(BIN)/grade doctor
	$(BIN)/python -m pytest tests -m gpu -s --timeout 0

peers: $(STAMP)
	$(BIN)/python benchmarks/peers --write docs/security.md

answers: $(STAMP) bubblewrap
	$(BIN)/python benchmarks/answers.py $(ARGS)
	$(BIN)/python benchmarks/diagnoses.py

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "Python 3.11 to 3.13 is needed, this is `$(PYTHON) --version 2>&1`: run 'make PYTHON=python3.11 …'."; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  echo "Python cannot make virtual environments here: run 'sudo apt-get install python3-venv'."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

bubblewrap:
	@command -v bwrap >/dev/null || sh tools/install-bubblewrap.sh

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache

other-machines: $(STAMP)
	tools/other-machines.sh

windows: $(STAMP)  # a Python for Windows under Wine; some minutes
	tools/windows.sh
