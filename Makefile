# Bayar. `make` lists the targets. Each says what it is doing, and installs or names what it lacks.

# Where cargo builds, and how: dev, fast (release code without the long link) or release.
CARGO_TARGET_DIR ?= $(CURDIR)/target
PROFILE ?= dev
PREFIX ?= /usr/local

export CARGO_TARGET_DIR
BUILT := $(CARGO_TARGET_DIR)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
CARGO_BUILD := cargo build --quiet --locked --profile $(PROFILE)
# What a host needs: the library, the command, every plugin.
PLUGINS := $(patsubst plugins/%/plugin/,%,$(wildcard plugins/*/plugin/))
SHIPPED := -p bayar-ffi -p bayar-cli $(PLUGINS:%=-p bayar-%-plugin)

.PHONY: help build demo check test test-rust test-walks test-operations test-hosts test-fpm test-gateway test-dashboard test-whmcs test-faults soak operations headers bench dist php-package whmcs-package install

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 20

build: ## build the library, the command and the plugins
	@tests/demo/need cargo cc
	@echo "building libbayar, bayar and the plugins ($(PROFILE))"
	@$(CARGO_BUILD) $(SHIPPED)
	@# Linked programs look for the library under its SONAME.
	@ln -sfn libbayar.so $(BUILT)/libbayar.so.1

demo: build ## payments through every provider, paid, their callbacks verified
	@tests/demo/need php python3
	@echo "building the Rust example"
	@$(CARGO_BUILD) -p bayar --example charge
	@python3 tests/demo/demo.py $(BUILT)

check: ## the inner loop: format, clippy, unit tests
	@tests/demo/need cargo cc postgresql
	@echo "checking the format"
	@cargo fmt --all --check
	@# Those that the sandbox's build script finds are no modules that cargo fmt knows.
	@rustfmt --edition 2024 --config-path . --check $$(find tests/sandbox/src/providers -name '*.rs')
	@echo "clippy"
	@cargo clippy --quiet --locked --workspace --all-targets
	@echo "unit tests"
	@cargo test --quiet --locked --workspace --lib --bins

test: check test-rust test-walks test-operations test-hosts test-fpm test-gateway test-dashboard test-whmcs test-faults ## everything

test-rust: build
	@tests/demo/need openssl postgresql
	@echo "building the plugins that misbehave"
	@$(CARGO_BUILD) --workspace
	@echo "testing the crates"
	@cargo test --quiet --locked --profile $(PROFILE) --workspace
	@echo "checking the documentation of the crates"
	@cargo doc --quiet --locked --workspace --no-deps

test-walks: build ## neighbouring versions of plugins, and adding a provider as its document says
	@tests/demo/need curl git python3
	@echo "loading plugins of neighbouring minor versions"
	@tests/minor $(BUILT)
	@echo "adding a provider"
	@tests/walk $(CARGO_TARGET_DIR)/walk

test-hosts: build ## the hosts: Python, PHP, C, and the ABI itself
	@tests/demo/need php php-curl phpunit psr laravel python3 c++ valgrind
	@echo "testing the hosts"
	@$(CARGO_BUILD) -p bayar --example charge
	@tests/hosts/run $(BUILT)

test-fpm: build ## PHP-FPM: its modes, recycled and killed workers, upgrades, docs/php.md
	@tests/demo/need php python3 php-fpm php-curl nginx openssl cc composer psr curl
	@echo "testing PHP-FPM"
	@tests/fpm/run $(BUILT)

test-operations: build ## every operation of every provider, from each language
	@tests/demo/need php python3 cc
	@echo "calling every operation from Python, PHP, C and Rust"
	@$(CARGO_BUILD) -p bayar --example calls
	@tests/operations/run $(BUILT)

test-gateway: build ## the gateway: its document's API, API v1, callbacks, several instances, its guide
	@tests/demo/need curl nginx openssl php php-curl postgresql python3 venv
	@echo "testing the gateway"
	@tests/gateway/run $(BUILT)

test-dashboard: build ## the gateway's dashboard and pay page, used by people with a browser
	@tests/demo/need python3 venv chromium chromedriver
	@echo "using the dashboard and the pay page"
	@tests/gateway/browser/run $(BUILT)

test-whmcs: faulty ## the WHMCS module: in a stand-in for WHMCS, and its payment box in a browser
	@tests/demo/need php php-mysql php-curl illuminate mariadb chromium chromedriver python3 venv
	@echo "testing the WHMCS module"
	@tests/whmcs/run $(BUILT)

test-faults: faulty ## nothing lost, nothing sent twice, nobody fooled
	@tests/demo/need php python3 cc strace
	@echo "proving what the journal promises"
	@tests/faults/run $(BUILT)

soak: KILLS = 100000
soak: faulty ## kill processes under load, KILLS times (100000)
	@KILLS=$(KILLS) tests/faults/run $(BUILT) kills

# The library with named steps at which it can be told to abort; afterwards the one that ships again.
.PHONY: faulty
faulty: build
	@echo "building the library that can be told where to abort"
	@$(CARGO_BUILD) $(SHIPPED) --features bayar-ffi/faults
	@mkdir -p $(BUILT)/faults
	@cp --remove-destination $(BUILT)/libbayar.so $(BUILT)/faults/libbayar.so
	@$(CARGO_BUILD) $(SHIPPED)

operations: build ## write the README's table of operations anew
	@$(CARGO_BUILD) -p bayar --example calls
	@tests/operations/run $(BUILT) --bless

headers: ## write include/ anew from ffi/src
	@echo "writing include/bayar.h and include/bayar.ffi.h"
	@BAYAR_BLESS=1 cargo test --quiet --locked -p bayar-ffi --test header

bench: ## the figures
	@tests/demo/need cargo cc php python3 php-fpm php-curl nginx openssl venv wrk
	@echo "measuring"
	@cargo bench --locked -p bayar
	@# What ships; its link takes some minutes.
	@$(MAKE) --no-print-directory PROFILE=release build
	@echo "measuring PHP-FPM"
	@tests/fpm/bench $(CARGO_TARGET_DIR)/release
	@echo "measuring the gateway"
	@tests/gateway/bench/run $(CARGO_TARGET_DIR)/release

dist: ## the library, the command and the plugins, for release, in target/dist
	@$(MAKE) --no-print-directory PROFILE=release build
	@echo "collecting them in $(CARGO_TARGET_DIR)/dist"
	@rm -rf $(CARGO_TARGET_DIR)/dist
	@$(MAKE) --no-print-directory PROFILE=release DESTDIR=$(CARGO_TARGET_DIR)/dist copy

php-package: ## the composer package with its library, command and plugins, in bindings/php
	@tests/demo/need php
	@$(MAKE) --no-print-directory PROFILE=release build
	@php bindings/php/package.php $(CARGO_TARGET_DIR)/release

whmcs-package: ## what is uploaded to a WHMCS, in target/whmcs
	@tests/demo/need php
	@$(MAKE) --no-print-directory PROFILE=release build
	@bindings/whmcs/package $(CARGO_TARGET_DIR)/release $(CARGO_TARGET_DIR)/whmcs
	@echo "upload what is in $(CARGO_TARGET_DIR)/whmcs"

install: dist ## install into PREFIX (/usr/local)
	@echo "installing into $(DESTDIR)$(PREFIX)"
	@# Never overwritten in place: a program may have the old library mapped.
	@cp -a --remove-destination $(CARGO_TARGET_DIR)/dist$(PREFIX)/. $(DESTDIR)$(PREFIX)/

.PHONY: copy
copy:
	@install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/bayar/plugins $(DESTDIR)$(PREFIX)/include
	@install -m 755 $(BUILT)/bayar $(DESTDIR)$(PREFIX)/bin/
	@install -m 755 $(BUILT)/libbayar.so $(DESTDIR)$(PREFIX)/lib/libbayar.so.1
	@ln -sfn libbayar.so.1 $(DESTDIR)$(PREFIX)/lib/libbayar.so
	@# The one to copy is no provider.
	@install -m 755 $(patsubst %,$(BUILT)/libbayar_%.so,$(filter-out template,$(PLUGINS))) $(DESTDIR)$(PREFIX)/lib/bayar/plugins/
	@install -m 644 include/bayar.h include/bayar.ffi.h $(DESTDIR)$(PREFIX)/include/
