# The commands of this project. `make help` lists them. Everything is made in .venv and _build; nothing else is written.

PROFILE ?= paper
PYTHON  ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $(p))))
CORES   := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
JOBS    ?= $(if $(filter gpu,$(PROFILE)),1,$(CORES))
PORT    ?= 8000

VENV     := .venv
READY    := $(VENV)/.complete
RUN      := $(VENV)/bin/python -m
BUILD    := _build/$(PROFILE)
EXECUTED := $(BUILD)/executed
CHAPTERS := $(basename $(notdir $(sort $(wildcard notebooks/[0-9][0-9]_*.md))))
PAGES    := $(wildcard book/*.md book/*.txt book/*.bib book/_static/* book/_templates/* src/companion/data/*.js*) $(wildcard profiles/gpu/*.yml) _config.yml _toc.yml
# NB is a number, a name, or the beginning of one name alone.
NUMBERED  = $(filter $(NB) $(NB)_% 0$(NB)_%,$(CHAPTERS))
BEGINNING = $(filter $(NB)%,$(CHAPTERS))
CHOSEN    = $(if $(NB),$(or $(NUMBERED),$(if $(word 2,$(BEGINNING)),,$(BEGINNING))))
LONGEST  := 08 20 13 10 07 16 17 09 06 02 11 03 14 01 05 18 12 04 15
THREADS  := $(shell echo $$(( $(CORES) < 16 ? ($(CORES) + 3) / 4 : 4 )))
BY_TIME  := $(foreach number,$(LONGEST),$(filter $(number)_%,$(CHAPTERS)))
ARCHIVE  := constellations-$(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
CHROMIUM := $(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name))))
SPHINX   := sphinx myst-nb sphinx-book-theme sphinx-external-toc sphinx-design sphinx-copybutton sphinx-togglebutton sphinx-thebe sphinx-comments \
  sphinx-jupyterbook-latex sphinxcontrib-bibtex sphinx-proof sphinx-exercise sphinx-tippy sphinx-mathjax-offline
PACKAGES := import sysconfig; print(sysconfig.get_path("purelib"))
JOINED   := $(BUILD)/print/_build/singlehtml
LOCAL    := _build/local
RULES    := $(BUILD)/rules.mk
ALONE    := $(RUN) companion.pages alone
# One line where a notebook stops: the last one of its log.
UNFINISHED = { echo "error: notebooks/$(1).ipynb did not run to its end: $$(grep . $(2) | tail -n 1) (all in $(2))" >&2; exit 1; }
SUBMAKE  := $(MAKE) --silent --no-print-directory PROFILE=$(PROFILE)

# The source of this checkout comes first, also where .venv was made for another one.
export PYTHONPATH := $(CURDIR)/src$(if $(PYTHONPATH),:$(PYTHONPATH))
# One thread per notebook, one notebook per core: sums are then added in the same order on every machine.
export OMP_NUM_THREADS := 1
export JUPYTER_PREFER_ENV_PATH := 1
export PYDEVD_DISABLE_FILE_VALIDATION := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: help book test unit lint sync serve clean notebook lock faults benchmarks audit pdf release newest executed check built run-one

help: ## list these commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-9s %s\n", $$1, $$2 }'
	@echo "  PROFILE is paper (default), quick or gpu; JOBS is the number of notebooks run at once."

book: check ## run every notebook and build the book: make book [PROFILE=paper|quick|gpu]
	@$(ALONE) $(SUBMAKE) built
	@echo "The book is built. Open $(BUILD)/html/index.html"

test: lint unit ## lint, types, unit tests, notebooks, the book and the browser checks (profile quick)
	@$(MAKE) --no-print-directory book PROFILE=quick
	CONSTELLATIONS_PROFILE=quick $(RUN) pytest -m "notebooks or book or browser" tests

lint: $(READY) ## style and types
	$(RUN) ruff check .
	$(RUN) ruff format --check src tests benchmarks
	$(RUN) mypy

unit: $(READY) ## unit and property tests, doctests, notebook pairs
	$(RUN) pytest -n $(JOBS) -m "not notebooks and not book and not browser" tests src

faults: $(READY) ## kill, starve and corrupt builds of a small book; each must end in one clear line (minutes)
	$(RUN) pytest tests/faults.py

benchmarks: $(READY) ## time training, losses and the report beside their bare products, for the page of benchmarks (minutes)
	$(VENV)/bin/python benchmarks

audit: $(READY) ## look the locked packages up among known faults (needs the network)
	$(RUN) pip install --quiet --disable-pip-version-check pip-audit
	$(RUN) pip_audit --requirement requirements.lock --no-deps --disable-pip --strict

sync: $(READY) ## make the .md and .ipynb of each notebook agree: the one that was edited wins
	@$(RUN) companion.pages sync notebooks

serve: ## show the built book at http://localhost:8000 (PORT=8000)
	@test -f $(BUILD)/html/index.html || { echo "error: there is no $(BUILD)/html yet: run make book PROFILE=$(PROFILE)" >&2; exit 1; }
	@$(VENV)/bin/python -c 'import socket, sys; sys.exit(socket.socket().connect_ex(("127.0.0.1", int(sys.argv[1]))) == 0)' $(PORT) \
	  || { echo "error: port $(PORT) is taken: choose another one, for example make serve PORT=8001" >&2; exit 1; }
	$(RUN) http.server --bind 127.0.0.1 --directory $(BUILD)/html $(PORT)

notebook: $(READY) ## run one notebook: make notebook NB=01 PARAMS="-p n_pairs 64 -p dim 5" [PROFILE=paper]
	@test -n "$(NB)" || { echo 'error: name a notebook, for example make notebook NB=01 PARAMS="-p dim 5"; there are $(CHAPTERS)' >&2; exit 1; }
	@test -n "$(CHOSEN)" || { echo "error: NB=$(NB) must begin the name of a notebook: $(or $(BEGINNING),$(CHAPTERS))" >&2; exit 1; }
	@$(RUN) companion.pages check $(PROFILE)
	@$(ALONE) $(SUBMAKE) run-one

pdf: book ## the whole book as one PDF, through Chromium: _build/PROFILE/constellations.pdf
	@$(ALONE) $(SUBMAKE) $(BUILD)/constellations.pdf
	@echo "The book is printed: $(BUILD)/constellations.pdf"

release: pdf ## pages, PDF, executed notebooks, results and figures with checksums in one archive
	@$(ALONE) $(SUBMAKE) $(BUILD)/$(ARCHIVE).tar.gz
	@echo "The release is packed: $(BUILD)/$(ARCHIVE).tar.gz"

newest: book ## build the pages with the newest Sphinx and theme, without Jupyter Book (needs the package index)
	rm -rf _build/newest && $(PYTHON) -m venv _build/newest/venv
	_build/newest/venv/bin/python -m pip install --quiet --disable-pip-version-check $(SPHINX)
	@# What the reference imports comes from the locked environment, after the newest packages.
	$(VENV)/bin/python -c '$(PACKAGES)' > $$(_build/newest/venv/bin/python -c '$(PACKAGES)')/locked.pth
	$(VENV)/bin/jupyter-book config sphinx $(BUILD)/stage
	_build/newest/venv/bin/python -m sphinx -q -b html $(BUILD)/stage _build/newest/html
	@echo "Sphinx without Jupyter Book builds the book: _build/newest/html/index.html"

lock: $(READY) ## remake requirements.lock from pyproject.toml (needs the package index)
	$(RUN) pip install --quiet --disable-pip-version-check uv
	echo torch==2.13.0 > $(VENV)/constraints.txt
	$(RUN) uv pip compile pyproject.toml $(addprefix --extra ,book pretrained sweep test) --universal --python-version 3.11 --constraint $(VENV)/constraints.txt \
	  --no-annotate --no-header --no-emit-index-url --quiet | grep -vE '^(nvidia-|cuda-|triton)' > requirements.lock.tmp
	mv requirements.lock.tmp requirements.lock

clean: ## delete everything built, but not .venv
	rm -rf _build

# --- how it is done -------------------------------------------------------------------------------------------------

$(READY): requirements.lock
	@test -n "$(PYTHON)" || { echo "error: Python 3.11 or later is needed; name it with make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON) (a few minutes, once)"
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(RUN) pip install --quiet --disable-pip-version-check -r requirements.lock
	$(RUN) pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

check: $(READY)
	@$(RUN) companion.pages check $(PROFILE)

built:
	@$(SUBMAKE) --jobs=$(JOBS) executed
	@$(SUBMAKE) $(BUILD)/html/.complete

# Values of the profile first, then PARAMS on top. Paths come before PARAMS, so that an incomplete -p cannot swallow them.
run-one: notebooks/$(CHOSEN).ipynb
	@mkdir -p $(LOCAL) && rm -rf $(LOCAL)/stage $(LOCAL)/sphinx
	@echo "running $(CHOSEN) with the profile $(PROFILE) (how far it is: $(LOCAL)/$(CHOSEN).log)"
	@$(RUN) papermill -k python3 --log-level WARNING --stdout-file /dev/null notebooks/$(CHOSEN).ipynb $(LOCAL)/$(CHOSEN).ipynb \
	  -f profiles/$(PROFILE)/$(CHOSEN).yml -p output_dir $(LOCAL) $(PARAMS) 2> $(LOCAL)/$(CHOSEN).log || $(call UNFINISHED,$(CHOSEN),$(LOCAL)/$(CHOSEN).log)
	@$(RUN) companion.pages stage $(LOCAL) $(CHOSEN)
	@$(VENV)/bin/python $(VENV)/bin/jupyter-book build -qq --path-output $(LOCAL)/sphinx $(LOCAL)/stage > $(LOCAL)/sphinx.log 2>&1 \
	  || { echo "error: the page could not be made (all in $(LOCAL)/sphinx.log)" >&2; exit 1; }
	@rm -rf $(LOCAL)/html && mv $(LOCAL)/sphinx/_build/html $(LOCAL)/html
	@echo "Open $(LOCAL)/html/notebooks/$(CHOSEN).html"

# Longest chapters first, by the times of the last build at paper scale.
executed: $(patsubst %,$(EXECUTED)/%.ipynb,$(filter-out $(BY_TIME),$(CHAPTERS)) $(BY_TIME))

notebooks/%.ipynb: notebooks/%.md | $(READY)
	@$(RUN) companion.pages pair $<

# Papermill writes under another name; only a notebook that ran to its end gets its own.
$(EXECUTED)/%.ipynb: notebooks/%.ipynb profiles/$(PROFILE)/%.yml requirements.lock | $(READY)
	@mkdir -p $(EXECUTED) && rm -f $@
	@echo "running $*"
	@# The longest train on more threads where there are cores: bits do not depend on their number.
	@CONSTELLATIONS_THREADS=$${CONSTELLATIONS_THREADS:-$(if $(filter $*,$(wordlist 1,4,$(BY_TIME))),$(THREADS),1)} \
	  $(RUN) papermill -k python3 --no-progress-bar --log-level WARNING --stdout-file /dev/null \
	  -f profiles/$(PROFILE)/$*.yml -p output_dir $(BUILD) $< $(EXECUTED)/.$*.unfinished.ipynb 2> $(EXECUTED)/.$*.log \
	  || $(call UNFINISHED,$*,$(EXECUTED)/.$*.log)
	@mv $(EXECUTED)/.$*.unfinished.ipynb $@

$(BUILD)/html/.complete: $(CHAPTERS:%=$(EXECUTED)/%.ipynb) $(PAGES) $(wildcard src/*/*.py src/*/*/*.py src/*/*/*/*.py)
	@rm -rf $(BUILD)/stage $(BUILD)/sphinx; test -d $(BUILD)/html || test ! -d $(BUILD)/html.old || mv $(BUILD)/html.old $(BUILD)/html
	@$(RUN) companion.pages stage $(BUILD)
	@$(VENV)/bin/python $(VENV)/bin/jupyter-book build --quiet -W --keep-going --path-output $(BUILD)/sphinx $(BUILD)/stage > $(BUILD)/sphinx.log 2> $(BUILD)/sphinx.err \
	  || { grep -E "WARNING|ERROR|Error" $(BUILD)/sphinx.err | head -n 20 >&2; echo "error: the pages could not be made (all in $(BUILD)/sphinx.err); the book of the last build stays" >&2; exit 1; }
	@touch $(BUILD)/sphinx/_build/html/.complete && rm -rf $(BUILD)/html.old && { test ! -d $(BUILD)/html || mv $(BUILD)/html $(BUILD)/html.old; }
	@mv $(BUILD)/sphinx/_build/html $(BUILD)/html && rm -rf $(BUILD)/html.old

# One page holds the whole book, so that links lead to places of the PDF.
$(BUILD)/constellations.pdf: $(BUILD)/html/.complete
	@test -n "$(CHROMIUM)" || { echo "error: Chromium prints the PDF, and there is none on this machine" >&2; exit 1; }
	@rm -rf $(BUILD)/print  # numbers of chapters are set when pages are read, not when they are kept
	@$(VENV)/bin/python $(VENV)/bin/jupyter-book build -qq --builder singlehtml --path-output $(BUILD)/print $(BUILD)/stage > $(BUILD)/print.log 2>&1 \
	  || { echo "error: the pages could not be joined (all in $(BUILD)/print.log)" >&2; exit 1; }
	@sed -E -e 's~href="(\.\./)*(book|notebooks)/([^"#]*)\.html"~href="#document-\2/\3"~g' -e 's~href="(\.\./)*(book|notebooks)/[^"#]*\.html#~href="#~g' \
	  -e 's~ href="(\.\./)*(_images|_static/statements)[^"]*"~~g' -e 's~<details~<details open~g' $(JOINED)/book/index.html > $(JOINED)/index.html
	@$(CHROMIUM) --headless --no-sandbox --disable-gpu --no-pdf-header-footer --generate-pdf-document-outline --virtual-time-budget=600000 \
	  --print-to-pdf="$(CURDIR)/$@.tmp" "file://$(CURDIR)/$(JOINED)/index.html" > $(BUILD)/print.log 2>&1 && test -s $@.tmp \
	  || { echo "error: Chromium did not print the book (all in $(BUILD)/print.log)" >&2; exit 1; }
	@mv $@.tmp $@

# The same input makes the same archive: names in order, one date, no owner.
$(BUILD)/$(ARCHIVE).tar.gz: $(BUILD)/constellations.pdf
	@cd $(BUILD) && find html executed results figures constellations.pdf -type f ! -name '.*' | LC_ALL=C sort | xargs -d '\n' sha256sum > SHA256SUMS
	@tar --create --directory $(BUILD) --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --exclude='.*' --transform 's,^,$(ARCHIVE)/,' \
	  html executed results figures constellations.pdf SHA256SUMS | gzip -n > $@.tmp
	@mv $@.tmp $@

# Which sources each notebook imports; read only by goals that run notebooks.
ifneq ($(filter executed $(BUILD)/% $(EXECUTED)/%,$(MAKECMDGOALS)),)
-include $(RULES)
endif

$(RULES): $(wildcard notebooks/[0-9][0-9]_*.md) $(wildcard src/*/*.py src/*/*/*.py src/*/*/*/*.py) | $(READY)
	@mkdir -p $(BUILD)
	@$(RUN) companion.pages rules $@
