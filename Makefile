# make demo   tags to a trained model on generated scenes, with a report
# make test   the test suite
# make docs   the documentation site, in docs/_build
# Each makes the environment first (.venv, about three minutes, once).
# PYTHON=... chooses the interpreter, VENV=... the environment's folder,
# TORCH=cpu a PyTorch without CUDA, from your package index or TORCH_INDEX_URL.

VENV ?= .venv
UPSTREAM_VENV ?= .venv-upstream
TORCH_INDEX_URL ?= https://download.pytorch.org/whl/cpu
DEMO_WORK_DIR = work_dirs/esol_demo_pipeline
PYTEST_ARGS ?=
export PYTHON TORCH TORCH_INDEX_URL

INSTALL = bash .dev_scripts/install.sh
# Many small tensors: one thread a process, some processes.
PYTEST = OMP_NUM_THREADS=1 "$(1)/bin/python" -m pytest -q -n auto \
	--maxprocesses 8 --dist worksteal tests $(PYTEST_ARGS)

.PHONY: help install demo test docs test-upstream lint clean

help:
	@sed -n 's/^# //p' Makefile

install:
	@$(INSTALL) "$(VENV)" requirements/lock.txt

demo: install
	"$(VENV)/bin/python" tools/pipeline.py configs/esol/esol_demo_pipeline.py
	@echo "Report:        $(CURDIR)/$(DEMO_WORK_DIR)/report.html"
	@echo "Contact sheet: $(CURDIR)/$(DEMO_WORK_DIR)/contact_sheet.png"

test: install
	$(call PYTEST,$(VENV))

docs: install
	"$(VENV)/bin/python" -m pip install -q --no-warn-conflicts \
		-c requirements/lock.txt -r requirements/docs.txt
	"$(VENV)/bin/python" docs/en/build.py docs/_build

test-upstream:
	@$(INSTALL) "$(UPSTREAM_VENV)" requirements/upstream.txt
	$(call PYTEST,$(UPSTREAM_VENV))

lint: install
	"$(VENV)/bin/ruff" check .
	"$(VENV)/bin/mypy"
	@bash .dev_scripts/audit.sh "$(VENV)" requirements/lock.txt

clean:
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +
