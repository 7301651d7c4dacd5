#!/usr/bin/env bash
# What is checked and measured on a GPU, each part with its own time limit and log.
#
#   benchmarks/gpu.sh OUT [part …]        parts: about tests bench study (default: all, in this order)
#
# A part that fails or runs too long does not stop the next one. OUT, empty before, gets at most 8
# files of at most 14 MiB, 60 MiB in all; the summary is printed last. Environment:
#
#   PYTHON  .venv/bin/python, if it exists, else python3       DEVICE  cuda; cpu: to try the script
#   STUDY   config/cifar10.yaml                                DATA    replaces the study's data.root
#   JOBS    12, GPU jobs at a time                              CORES   all
#   TESTS, BENCH, TOTAL  limits in seconds: 90, 150, 560 (the study gets what is left of TOTAL)
#   ROUNDS  3, of the benchmarks
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
[[ $# -ge 1 ]] || { sed -n '2,13s/^# \?//p' "$0"; exit 2; }

mkdir -p "$1"
out=$(realpath "$1")
shift
parts=("${@:-about tests bench study}")
read -ra parts <<<"${parts[*]}"
default=python3
[[ -x .venv/bin/python ]] && default=.venv/bin/python
python=${PYTHON:-$default}
device=${DEVICE:-cuda} study=${STUDY:-config/cifar10.yaml} jobs=${JOBS:-12} cores=${CORES:-$(nproc)}
total=${TOTAL:-560}
# cuBLAS reads its setting once, at the first use of the GPU in a process (campare.seeding).
export CUBLAS_WORKSPACE_CONFIG=:4096:8 CAMPARE_TEST_DEVICE=$device
export PYTHONPATH=workflow/logger${PYTHONPATH:+:$PYTHONPATH}
logs=$(mktemp -d)
SECONDS=0

# Run a command for at most some seconds, then interrupt it, as Ctrl-C does, and kill it if it does not end.
# Snakemake then saves trainings, and pytest reports the failures so far.
limited() {
  local seconds=$1
  shift
  timeout --signal=INT --kill-after=25 "$seconds" env --default-signal=INT "$@"
}

about() {
  nvidia-smi || true
  nproc
  uptime
  free -g
  df -h . /dev/shm
  limited 60 "$python" -c '
import platform, sys
from importlib.metadata import distributions
import torch
print(sys.version, platform.platform())
print(torch.__version__, torch.cuda.is_available(), torch.backends.cudnn.version())
print(torch.cuda.get_device_properties(0) if torch.cuda.is_available() else "no GPU")
print(*sorted(f"{one.name}=={one.version}" for one in distributions()))'
}

tests() {
  local options=(-m cuda -v -ra --tb=short --durations=15 -p no:cacheprovider --dist worksteal)
  options+=(-n "$((cores < 16 ? (cores + 1) / 2 : 8))")
  "$python" -c 'import pytest_timeout' 2>/dev/null && options+=(--timeout 75)
  limited "${TESTS:-90}" "$python" -m pytest "${options[@]}" tests/workflow/test_gpu.py \
    tests/unit/test_cuda.py tests/unit/test_replay.py tests/unit/test_recipes.py
}

bench() {
  local options=(--rounds "${ROUNDS:-3}" --only cam similarity training)
  [[ $device = cuda ]] && options+=(--cuda)
  limited "${BENCH:-150}" "$python" benchmarks/bench.py "${options[@]}" \
    --output "$out/results_$device.json"
}

study() {
  local left=$((total - SECONDS - 60)) options=(--config "compute={device: $device}")
  options+=('training={cuda_graph: true}' ${DATA:+"data={root: $DATA}"})
  limited "$((left > 20 ? left : 20))" "$python" -m snakemake --cores "$cores" \
    --resources gpu="$jobs" --keep-going --logger campare "${options[@]}" --configfile "$study"
  local code=$?
  # Only of a finished study, since the table else waits for the jobs that are missing.
  [[ $code -eq 0 ]] &&
    limited 15 "$python" -m snakemake --cores 1 efficiency "${options[@]}" --configfile "$study"
  return $code
}

summary=$out/summary.txt
: >"$summary"
for part in "${parts[@]}"; do
  began=$SECONDS
  "$part" >"$logs/$part.log" 2>&1
  code=$?
  {
    echo "== $part: exit status $code, $((SECONDS - began)) s (124: time limit)"
    tail -n 40 "$logs/$part.log" | cut -c 1-300
  } >>"$summary"
done
studies=()
[[ " ${parts[*]} " == *" study "* ]] && studies=("$study")
limited 40 "$python" benchmarks/collect.py "$out" "$logs" "${studies[@]}" >>"$summary" 2>&1
rm -r "$logs"
tail -c 10000 "$summary"
