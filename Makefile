# Two commands: `make run` and `make test`. Both install what is missing on Debian and Ubuntu.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Outside the clone, so that a fresh clone finds what an earlier one built.
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/seawall/target
export PATH := $(HOME)/.cargo/bin:$(PATH)
SEAWALL := $(CARGO_TARGET_DIR)/release/seawall

# Advisories to build the database from; without such a folder they are fetched.
export SEAWALL_DATA ?= $(abspath ../shared/data)

.PHONY: help run test build database

help:
	@echo "make run    build, make the advisory database, scan this machine and its images"
	@echo "make test   everything that CI runs"

build:
	@scripts/setup build
	@cargo build --release --locked --package seawall

database: build
	@if [ -d "$(SEAWALL_DATA)/advisories" ]; then \
	  "$(SEAWALL)" db build --from "$(SEAWALL_DATA)/advisories"; \
	else \
	  "$(SEAWALL)" db update; \
	fi

run: database
	@"$(SEAWALL)" scan host --all-images

test:
	@scripts/setup test
	@scripts/test
