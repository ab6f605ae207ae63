# Everything a newcomer types: `make demo`, then `make test`. Needs Python 3.11 to 3.13 and make.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install demo verifier wheel test check bench quality studies uses examples reference schema clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))" \
		|| (echo "privgan needs Python 3.11 to 3.13; set PYTHON=..." && exit 1)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev,train]"
	@touch $(STAMP)

# One file for machines that have no checkout: officers, recipients, and whoever carries it over.
wheel: install
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

verifier: install
	mkdir -p dist
	$(BIN)/python -m privgan_audits.release.recipient.packing dist/privgan-verify.pyz

demo: install
	$(BIN)/privgan demo

# Two processes, one thread each: many small networks are trained, and threads would get in each other's way.
# Files come in the order of tests/conftest.py, not those with the most tests first.
test: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -q

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=.:audits:uses:cli $(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_docs.py

# What needs a set to be made first, and is asked by `make uses`.
USES := %/uses_teaching.py %/uses_restoring.py %/uses_augmenting.py

bench: install
	for benchmark in $(filter-out %/quality.py %/hospitals.py %/against.py %/growth.py $(USES), $(wildcard tests/benchmarks/*.py)); do \
		$(BIN)/python $$benchmark --json || exit 1; done
	$(BIN)/python tests/benchmarks/against.py --short --json

# Hours: a training for each data set and epsilon, and with X-rays what a set is good for. `make quality DATASETS=mnist
# EPSILON=10 MINUTES=30` is less; with QUALITY="..." only the trainings.
DATASETS ?= mnist fashion pneumonia xray
EPSILON ?= 1,10
MINUTES ?= 60

quality: install
	for dataset in $(DATASETS); do \
		$(BIN)/python tests/benchmarks/quality.py --json --dataset $$dataset --epsilon $(EPSILON) $(if $(MINUTES),--minutes $(MINUTES)) \
		$(QUALITY) || exit 1; done
	$(if $(QUALITY),,$(if $(filter xray,$(DATASETS)),$(MAKE) uses))

# What a set is good for: one is made as above, without a prior, and asked all three questions; an hour or two.
START := tests/benchmarks/quality_steps/warm_start.toml
KEPT := kept/xray-epsilon3-seed0/synthetic

uses: install
	$(BIN)/python tests/benchmarks/quality.py --json --dataset xray --epsilon 3 --config $(START) --count 6000 --keep kept
	$(BIN)/python tests/benchmarks/uses_restoring.py --json --synthetic $(KEPT)/images.npz --task denoise
	$(BIN)/python tests/benchmarks/uses_teaching.py --json --dataset xray --synthetic $(KEPT)
	$(BIN)/python tests/benchmarks/uses_augmenting.py --json --dataset xray

examples: install
	PYTHONPATH=. $(BIN)/python tests/examples.py

reference: install
	PYTHONPATH=. $(BIN)/python -m tests.python_reference

schema: install
	$(BIN)/python -m privgan_audits.report.schema > docs/reference/audit.schema.json

studies: install
	$(BIN)/python -m pytest -q -m study -s

clean:
	rm -rf .venv privgan-demo
