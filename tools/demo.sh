#!/bin/sh
# The whole road on handwritten digits: train, build a bitstream, prove it equal, run images on the simulated board.
set -eu
out=${1:-build/demo}
mkdir -p "$out"

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; "$@"; }

say bnnhw train --dataset digits --network lenet -o "$out/digits.pt"
say bnnhw eval "$out/digits.pt"
say bnnhw build --board ulx3s-85f "$out/digits.pt" -o "$out/ulx3s"
say bnnhw verify "$out/digits.pt" --build "$out/ulx3s" --through placed --samples 100
say bnnhw samples --dataset digits --count 5 -o "$out/images"
say bnnhw run --simulate "$out/ulx3s" "$out"/images/*.png

printf '\nThe report: %s\n' "$out/ulx3s/report.html"
