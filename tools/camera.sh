#!/bin/sh
# A camera on the FPGA: a sensor's raw frame through demosaic, white balance, downscale and gamma into a network, by
# operators written in Python; the answer from the simulated board.
set -eu
out=${1:-build/camera}
mkdir -p "$out"

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; "$@"; }

say bnnhw operator examples/camera/camera.py:chain
say python examples/camera/network.py bench/models/cnv.pt "$out/camera.pt"
say bnnhw build --board ulx3s-85f --target-fps 200 --stop-after rtl "$out/camera.pt" -o "$out/ulx3s"
say bnnhw verify "$out/camera.pt" --through packed --samples 50
say python examples/camera/picture.py examples/camera/cat.npy "$out/camera.png"
say bnnhw run --simulate "$out/ulx3s" examples/camera/cat.npy

printf '\nWhat each operator makes of the frame: %s\nThe report: %s\n' "$out/camera.png" "$out/ulx3s/report.html"
