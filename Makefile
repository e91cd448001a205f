# Everything a stranger needs: `make demo` and `make test` set up what they use, and may be run again at once.

VENV := .venv
BIN := $(VENV)/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT := mosquitto ffmpeg python3-venv systemd gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base \
  gstreamer1.0-plugins-good gstreamer1.0-plugins-bad python3-gi chromium
ROOT_APT := systemd-sysv dbus udev procps python3 python3-venv python3-numpy mosquitto \
  ffmpeg
comma := ,
empty :=
space := $(empty) $(empty)
DEMO_ARGS ?=
TEST_ARGS ?=
BENCH_ARGS ?=
DEB_ARGS ?=
# the tests wait more than they work: four at a time keep two cores busy
JOBS ?= 4

.DEFAULT_GOAL := help
.PHONY: help demo test test-long test-system test-system-short can-boot lint bench deb texts contract clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: .stamps/python ## a whole school and district on this machine (DEMO_ARGS=--once: the scripted scenario)
	@$(BIN)/gatehouse-sim demo $(DEMO_ARGS)

test: .stamps/python ## all tests
	$(BIN)/pytest -n $(JOBS) --dist worksteal -m "not campaign and not nspawn" $(TEST_ARGS)

test-long: .stamps/python ## the long campaigns
	$(BIN)/pytest -n $(JOBS) -m "not nspawn" --hypothesis-profile=new $(TEST_ARGS)

test-system: .stamps/python .stamps/roots/bookworm.tar .stamps/roots/trixie.tar ## the package and its services on Debian 12 and 13, in containers (as root)
	$(SUDO) env PATH="$$PATH" GATEHOUSE_NSPAWN_ROOTS=$(CURDIR)/.stamps/roots $(BIN)/pytest tests/nspawn -m nspawn $(TEST_ARGS)

test-system-short: .stamps/python .stamps/roots/bookworm.tar ## its short form: Debian 12, a press, kill -9, a hung service (as root)
	$(SUDO) env PATH="$$PATH" GATEHOUSE_NSPAWN_ROOTS=$(CURDIR)/.stamps/roots $(BIN)/pytest tests/nspawn/test_services.py \
	  -m nspawn -k "bookworm and (arrives or locked or killed or hung or nothing)" $(TEST_ARGS)

can-boot: .stamps/python .stamps/roots/bookworm.tar
	@$(SUDO) env PATH="$$PATH" PYTHONPATH=tests $(BIN)/python tests/nspawn/can_boot.py .stamps/roots/bookworm.tar

lint: .stamps/python ## ruff, mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests benchmarks deb

bench: .stamps/python ## speed and memory beside baselines, in one run
	$(BIN)/python benchmarks/run.py $(BENCH_ARGS)

deb: .stamps/python ## the installable packages, amd64 and arm64, in dist/ (DEB_ARGS=--arch amd64)
	$(BIN)/python deb/build.py $(DEB_ARGS)

texts: .stamps/python ## collect new texts into the catalogs
	$(BIN)/pybabel -q extract -F babel.cfg -k _ -k N_ --no-location --sort-output --omit-header \
	  -o .stamps/gatehouse.pot agent/gatehouse district/gatehouse_district hardware-sim/gatehouse_sim
	$(BIN)/pybabel -q update --no-fuzzy-matching --no-wrap -l zh_CN -D gatehouse \
	  -i .stamps/gatehouse.pot -d agent/gatehouse/locale

contract: .stamps/python ## write the contract's files in config/district/ from its types
	$(BIN)/python -m gatehouse.contract_files config/district

clean: ## remove what was made here
	rm -rf $(VENV) .stamps dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} + -o -name '*.mo' -delete

.stamps/apt: Makefile
	@mkdir -p .stamps
	@missing=; for p in $(APT); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "installing:$$missing"; \
	  export DEBIAN_FRONTEND=noninteractive; \
	  $(SUDO) apt-get -qq update && $(SUDO) env DEBIAN_FRONTEND=noninteractive \
	    apt-get -qq install -y --no-install-recommends $$missing >/dev/null; fi
	@touch $@

# Debian as apt makes it, with what the package depends on: in there is no network.
.stamps/roots/%.tar: Makefile
	@mkdir -p $(@D)
	@{ command -v mmdebstrap && command -v systemd-nspawn; } >/dev/null || $(SUDO) env DEBIAN_FRONTEND=noninteractive \
	  apt-get -qq install -y --no-install-recommends mmdebstrap systemd-container >/dev/null
	@echo "making a root of Debian $*"
	@$(SUDO) mmdebstrap --quiet --format=tar --variant=apt --include=$(subst $(space),$(comma),$(ROOT_APT)) $* $@.new
	@mv $@.new $@

.stamps/python: .stamps/apt pyproject.toml constraints.txt hatch_build.py $(wildcard agent/gatehouse/locale/*/LC_MESSAGES/*.po)
	@test -x $(BIN)/python || python3 -m venv $(VENV)
	@echo "installing Python packages into $(VENV)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt \
	  -e '.[sim,video,enrol]' babel hypothesis jsonschema mypy playwright pre-commit pytest pytest-asyncio pytest-xdist ruff types-jsonschema types-psutil
	@# only its source is read: the stand-in is compared with it (it runs on a Pi alone)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt --no-deps picamera2
	@touch $@
