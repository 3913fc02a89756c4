# One command each; every target sets up what it needs. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
DEMO := build/demo

.PHONY: help setup demo camera test lint not-slow sim bench bench-accuracy operator-clocks slow docs/components.md clean

help:  ## list the targets
	@grep -E '^[a-z/.-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 22

setup: $(VENV)/.installed  ## a virtual environment with everything in it, and the few programs that pip does not bring

$(VENV)/.installed: pyproject.toml constraints.txt tools/system_packages.sh
	sh tools/system_packages.sh
	$(PYTHON) tools/check_python.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade-strategy only-if-needed -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	@touch $@

demo: setup  ## train on digits, build the bitstream, climb the ladder, run images on the simulated board
	sh tools/demo.sh $(DEMO)

camera: setup  ## a camera on the FPGA: a raw frame by operators in Python into a network, on the simulated board
	sh tools/camera.sh build/camera

lint: setup  ## ruff and pyright
	ruff check src tests tools
	ruff format --check src tests tools
	pyright

test: setup  ## lint, types, and every test that is not slow, the simulations of `make sim` included
	$(MAKE) --no-print-directory --jobs 2 lint not-slow  # pyright has one core

not-slow: setup  ## the tests of `make test` alone
	MAKEFLAGS= pytest -n auto --dist worksteal -m "not slow" tests

sim: setup  ## the cocotb benches: every unit and the whole top
	pytest -n auto -m cocotb tests/sim

bench: setup  ## the figures that the documentation quotes
	bnnhw bench

bench-accuracy: setup  ## docs/accuracy.md and the table of docs/low-light.md; days of CPU time, finished trainings are kept
	bnnhw bench --only overhead --only training
	bnnhw lowlight compare --seeds 5
	bnnhw accuracy --seeds 0,1

operator-clocks: setup  ## what routing makes of 16 operators for 100, 150 and 200 MHz, three seeds each; about an hour
	pytest -q -s -m slow tests/hw/program/test_area.py -k what_routing_makes

slow: setup  ## the tests that take minutes, with networks that no run had before
	pytest -n auto -m slow --hypothesis-profile default tests

docs/components.md: setup  ## the page of the components, from their docstrings
	python tools/components.py

clean:  ## remove what the targets made, but for the virtual environment
	rm -rf build dist .pytest_cache .ruff_cache .hypothesis
