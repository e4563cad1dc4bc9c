# Everything here works as an ordinary user, in place, and as root, who hands over to an ordinary user
# (scripts/unprivileged: HTCondor runs no job as root).
SHELL := bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
TARGETS := setup demo test check soak bench docs sbom clean
.PHONY: help test-as-root $(TARGETS)

help:
	@echo "make demo    the whole story on a real pool on this machine, then how to look around and stop"
	@echo "make test    checks, and every test but the slow ones"
	@echo "make test-as-root   as root, the few that are about several users of one system"
	@echo "make check   format, lint, types, imports"
	@echo "make soak    the slow tests: kill runs, many hand-overs"
	@echo "make bench   the quick look at start latency; ./mlinfn bench lists all"
	@echo "make setup   only .venv, everything above makes it when it is missing"
	@echo "make docs    the documentation as a site, into dist/docs"
	@echo "make sbom    what is in the images, CycloneDX, into dist/"
	@echo "make clean   remove .venv and caches; HTCondor and pools stay where ./mlinfn pool status says"

ifeq ($(shell id -u),0)

$(TARGETS):
	@scripts/unprivileged $(MAKE) $@ $(MAKEOVERRIDES)

test-as-root:
	@scripts/as-root .venv/bin/pytest -m root $(ARGS)

else

test-as-root:
	@echo "only root can become several users: sudo make test-as-root" >&2; exit 1

bin := .venv/bin
# Tests wait more than they compute: two files at a time, the long stories first, each worker with a pool and a database
pytest := $(bin)/pytest -n 2 --dist loadfile --no-loadscope-reorder
# What a command says is shown only when it fails.
calmly = said=$$($(1) 2>&1) || { echo "$$said"; exit 1; }

setup:
	@scripts/setup

demo: setup
	@$(bin)/mlinfn demo

test: check
	@$(pytest) -m "not slow" $(ARGS)

check: setup
	@$(call calmly,$(bin)/ruff format --check)
	@$(call calmly,$(bin)/ruff check)
	@$(call calmly,$(bin)/mypy)
	@$(call calmly,$(bin)/lint-imports --no-cache)
	@echo "format, lint, types and imports are right"

soak: setup
	@$(pytest) -m slow $(ARGS)

bench: setup
	@$(bin)/mlinfn bench start-latency --quick $(ARGS)

docs: setup
	@$(bin)/python -m sphinx -b html -E -n -W --keep-going -q -d dist/.doctrees docs dist/docs
	@echo "$(CURDIR)/dist/docs/index.html"

# The tool comes for this one call: nothing of it is in .venv.
sbom: setup
	@mkdir -p dist
	@for image in images/platform images/hub glidein/requirements; do \
		$(bin)/uv tool run --system-certs --quiet --from 'cyclonedx-bom>=7.2,<8' cyclonedx-py requirements --output-reproducible \
			-o dist/sbom-$$(echo $$image | sed 's,/requirements,,; s,.*/,,').json $$image.txt || exit 1; \
	done
	@ls dist/sbom-*.json

clean:
	@rm -rf .venv .setup.lock .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

endif
