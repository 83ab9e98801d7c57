# Two commands: `make run` and `make test`. Both install what is missing on Debian and Ubuntu.
# `make install` puts the program, its man pages and completions below PREFIX.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Outside the clone, so that a fresh clone finds what an earlier one built.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/seawall
export CARGO_TARGET_DIR ?= $(CACHE)/target
export PATH := $(HOME)/.cargo/bin:$(PATH)
SEAWALL := $(CARGO_TARGET_DIR)/release/seawall
REPORT := $(CACHE)/this-machine.html
PREFIX ?= $(HOME)/.local

# Advisories to build the database from; without such a folder they are fetched.
export SEAWALL_DATA ?= $(abspath ../shared/data)

# 3 says that something could not be read, as the report does; the rest was. It is no failure here.
READ_ON := || [ $$? = 3 ]

.PHONY: help run test build database install

help:
	@echo "make run      build, make the advisory database, scan this machine and its images"
	@echo "make test     everything that CI runs"
	@echo "make install  build, and install below PREFIX=$(PREFIX)"

build:
	@scripts/setup build
	@cargo build --release --locked --package seawall

database: build
	@if [ -d "$(SEAWALL_DATA)/advisories" ]; then \
	  "$(SEAWALL)" db build --from "$(SEAWALL_DATA)/advisories" $(READ_ON); \
	else \
	  "$(SEAWALL)" db update $(READ_ON); \
	fi

run: database
	@mkdir -p "$(dir $(REPORT))" && rm -f "$(REPORT)"
	@"$(SEAWALL)" scan host --all-images --output html="$(REPORT)" $(READ_ON)
	@[ -s "$(REPORT)" ] && echo && echo "The same for a browser: $(REPORT)"

install: build
	@install -D "$(SEAWALL)" "$(PREFIX)/bin/seawall"
	@"$(SEAWALL)" man --directory "$(PREFIX)/share/man/man1"
	@install -d "$(PREFIX)/share/bash-completion/completions" \
	  "$(PREFIX)/share/zsh/site-functions" "$(PREFIX)/share/fish/vendor_completions.d"
	@"$(SEAWALL)" completions bash > "$(PREFIX)/share/bash-completion/completions/seawall"
	@"$(SEAWALL)" completions zsh > "$(PREFIX)/share/zsh/site-functions/_seawall"
	@"$(SEAWALL)" completions fish > "$(PREFIX)/share/fish/vendor_completions.d/seawall.fish"
	@echo "installed $(PREFIX)/bin/seawall"

test:
	@scripts/setup test
	@scripts/test
