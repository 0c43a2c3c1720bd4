# make demo   install, then record, verify, train, evaluate and film both environments (no screen needed)
# make app    install, then open the window
# make test   install, also the system packages that the tests need, then every check
# make coverage  install, then the branch coverage of what recordings depend on: at least 95 %
# make bench  install, then the benchmarks, compared with alternatives: docs/bench.md
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
GIVING_WAY := $(addprefix tests/ui/test_,train_window.py whole_loop.py record_window.py) tests/recorder/test_killed.py
PARALLEL := $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder

.PHONY: demo app test tests-in-memory bench coverage lint install packages lock clean

demo: install
	$(BIN)/twinplay demo --out demo-out

app: install
	$(BIN)/twinplay

# The tests start hundreds of processes; wherever Python is told to store no compiled modules, each would compile them anew.
test: export PYTHONDONTWRITEBYTECODE =

# Modules are compiled when first imported, which takes half as long as to compile all that are installed.
test: export COMPILE = --no-compile

test:
	$(MAKE) --no-print-directory --jobs 2 lint tests-in-memory
	$(PARALLEL) -n 2 --durations 5 $(GIVING_WAY)

# Three at a time keep two cores busy, since windows and play in real time wait more than they compute. Apart from them,
# on the disk: trainings that give way to whatever else runs, play by hand beside them, and recorders that are killed.
tests-in-memory: install packages
	tests/in_memory.sh $(PARALLEL) -n 3 --durations 10 $(GIVING_WAY:%=--ignore %)

packages:
	tests/packages.sh

bench: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable .[bench]
	$(BIN)/python -m tests.benchmarks --out docs/bench.md

# What a recording's safety and its certificate depend on, and the tests of that: none of people, pads and processes,
# no training, and no recorder that is killed, which leaves nothing to count and which counting slows down.
KEPT := recorder.store recorder.library.verify recorder.library.replay recorder.envs recorder.play
KEEPING := tests/recorder tests/test_cloud.py $(addprefix tests/player/test_environment.py::test_a_renderer_that_, \
	there_is_not_is_named cannot_draw_here_is_told_in_a_sentence is_missing_is_one_sentence)
BESIDE := $(addprefix tests/recorder/test_,controllers.py cores.py experts.py interrupts.py jobs.py library_presenter.py)
UNCOUNTED := tests/test_cloud.py::test_training_from_there tests/recorder/test_killed.py
coverage: install packages
	tests/in_memory.sh $(BIN)/python -m pytest -n 2 --dist loadfile $(KEEPING) $(BESIDE:%=--ignore %) $(UNCOUNTED:%=--deselect %) \
		$(KEPT:%=--cov %) --cov-report term --cov-fail-under 95

# Prints only what is wrong: it runs beside tests.
lint: install
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@broken=$$($(BIN)/lint-imports --no-logo) || { echo "$$broken"; exit 1; }

install: $(INSTALLED)

$(INSTALLED): pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(COMPILE) --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

# Local version tags (+cpu) of the machine that makes the lock are dropped: any build of that version will do.
lock:
	$(BIN)/pip-compile --quiet --extra dev --strip-extras --no-header --no-annotate --no-emit-index-url \
		--no-emit-find-links --no-emit-trusted-host --no-allow-unsafe --output-file requirements.lock pyproject.toml
	sed -i -E 's/(==[0-9.]+)\+[a-z0-9]+/\1/; /^#|^$$/d' requirements.lock

clean:
	rm -rf .venv build dist demo-out .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
