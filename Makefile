# Everything builds what it needs: .venv comes from the hashed lock, with uv where it is there, else pip.
PY := .venv/bin/python
PYTHON ?= python3.11

.PHONY: setup run test lint format lock

setup: .venv/.ready

.venv/.ready: requirements.lock
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --clear --python $(PYTHON) .venv && \
	  uv pip install --quiet --python $(PY) --require-hashes -r requirements.lock && \
	  uv pip install --quiet --python $(PY) --no-deps --no-build-isolation -e . ; \
	else \
	  $(PYTHON) -m venv --clear .venv && \
	  $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

run: setup
	@.venv/bin/hedgedesk

test: setup
	$(PY) -m pytest -n auto --dist loadgroup

lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports

format: setup
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --extra dev --output-file requirements.lock pyproject.toml requirements.in
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --extra conformance --constraint requirements.lock --output-file requirements-conformance.lock pyproject.toml

.PHONY: simulate
simulate: setup
	$(PY) -m tests.simulation --sessions 10000 --faults

.PHONY: kills
kills: setup
	$(PY) -m tests.kills --kills 200

.PHONY: matrix
matrix: setup
	$(PY) -m pytest tests/faults -m "matrix or not matrix" -n 4

.PHONY: soak
soak: setup
	$(PY) -m tests.machine --steps 1000000

.PHONY: mutants
mutants: setup
	$(PY) -m tests.mutants

# The clients of others bring forty packages that nothing else here needs, some with top-level names such as docs:
# they have a lock and an environment of their own, so that setup is not slower for them.
CONFORMANCE := .venv-conformance

.PHONY: conformance
conformance: $(CONFORMANCE)/.ready
	$(CONFORMANCE)/bin/python -m tests.conformance

$(CONFORMANCE)/.ready: requirements-conformance.lock
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --clear --python $(PYTHON) $(CONFORMANCE) && \
	  uv pip install --quiet --python $(CONFORMANCE)/bin/python --require-hashes -r requirements-conformance.lock ; \
	else \
	  $(PYTHON) -m venv --clear $(CONFORMANCE) && \
	  $(CONFORMANCE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-conformance.lock ; \
	fi
	@touch $@

.PHONY: fuzz
fuzz: setup
	$(PY) -m tests.fuzz

.PHONY: audit
audit: setup
	$(PY) -m tests.audit

.PHONY: fuzz-texts
fuzz-texts: setup
	$(PY) -m tests.console.fuzz --examples 100000

.PHONY: screens
screens: setup
	$(PY) -m tests.console.pictures docs/screens

.PHONY: bench-ui
bench-ui: setup
	$(PY) -m bench ui

.PHONY: risk
risk: setup
	RISK_EXAMPLES=3000 $(PY) -m pytest tests/risk --timeout 3600

# Made anew after a change of the screens or keys that is meant; read the diff.
.PHONY: snapshots
snapshots: setup
	$(PY) -m console.keys --write docs/keys.md
	$(PY) -m pytest tests/console/test_snapshots.py --update-snapshots

.PHONY: carrier
carrier: setup
	$(PY) -m tests.carrier

# Every benchmark three times, as the tables of docs/performance.md; on a machine that does nothing else, for an hour.
.PHONY: bench
bench: setup
	$(PY) -m bench.tables --runs 3
