#!/bin/sh
# Installs what pip does not bring: iverilog (cocotb's simulator), g++ (the batch simulator), venv, and Python's headers
# (torch.compile).
# Needs rights only when something is missing; says what to install when there are none.
set -eu
missing=""
command -v iverilog >/dev/null || missing="$missing iverilog"
command -v g++ >/dev/null || missing="$missing g++"
python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
python3 -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' ||
    missing="$missing python3-dev"
[ -z "$missing" ] && exit 0

if command -v apt-get >/dev/null; then
    as_root=""
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    if [ -z "$as_root" ] || sudo -n true 2>/dev/null; then
        # shellcheck disable=SC2086 -- both are lists of words
        { $as_root apt-get -qq update && DEBIAN_FRONTEND=noninteractive $as_root apt-get -qq install -y --no-install-recommends $missing >/dev/null; } && exit 0
    fi
fi
echo "please install:$missing   (Debian, Ubuntu: sudo apt-get install$missing)" >&2
exit 1
