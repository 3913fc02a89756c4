#!/bin/sh
# All that only a GPU can measure, in one call of at most nine minutes: how fast cnv trains and what share of the time
# the GPU computes; then the networks of docs/accuracy.md that take a CPU days. What is finished lies in the folder
# WORK, and the same call again goes on with the rest.
#
#     tools/gpu.sh [DEVICE [MINUTES [WORK [OPTIONS OF bnnhw accuracy]]]]
#     tools/gpu.sh cuda 8 build/gpu --data-dir DIR
set -eu
device=${1:-cuda}
minutes=${2:-8}
work=${3:-build/gpu}
if [ $# -gt 3 ]; then shift 3; else set --; fi

mkdir -p "$work"
python -m bnnhw bench --only training --json >"$work/training.json" || echo "the throughput is not known" >&2

# By NVIDIA's MPS kernels of two processes share the GPU instead of taking turns. RBNN's many small ones leave most of it
# free; the other networks' get half of it and so leave them room.
if [ "$device" = cuda ]; then
  set -- --cuda-graphs "$@"
  CUDA_MPS_PIPE_DIRECTORY=$(mktemp -d)
  CUDA_MPS_LOG_DIRECTORY=$CUDA_MPS_PIPE_DIRECTORY
  export CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY
  if nvidia-cuda-mps-control -d && timeout 60 python -c 'import torch; torch.zeros(1, device="cuda")'; then
    trap 'echo quit | nvidia-cuda-mps-control' EXIT
  else
    echo quit | nvidia-cuda-mps-control || true
    unset CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY
  fi
fi

# Four threads: more of them wait for each other where RBNN decomposes small matrices on the CPU.
train() {
  python -m bnnhw accuracy --device "$device" --threads 4 --batch-size 256 --minutes "$minutes" "$@"
}
(
  export CUDA_MPS_ACTIVE_THREAD_PERCENTAGE=50
  train --work "$work/others" --only cnv --only vgg-small-75 --only resnet20-b "$@"
) &
train --work "$work/rbnn" --only resnet20-rbnn "$@" || echo "RBNN was not trained" >&2
wait $!
