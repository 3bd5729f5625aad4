#!/bin/sh
# Installs the peers of the benchmarks. From Debian: scikit-learn, SciPy, PyTorch, XGBoost and
# onnxruntime for /usr/bin/python3 with OpenBLAS behind them; glmnet,
# posterior and rstan for /usr/bin/Rscript; LIBLINEAR; JAGS; toulbar2; g++. From npm, into bench/node_modules: jax-js, TensorFlow.js,
# onnxruntime, LiteRT.js with flatbuffers, and the Node that they run on.
# With --stan, it also compiles the Stan programs of bench/peers/stan, about 25 minutes in all, which nuts… and ode need.
# Where that cannot be done it says why and ends well: the benchmarks then leave those peers out, aloud.
set -u
packages="libopenblas0-pthread python3-sklearn python3-pandas python3-scipy python3-torch python3-xgboost python3-onnx python3-onnxruntime r-cran-glmnet r-cran-posterior r-cran-rstan liblinear-tools jags toulbar2 g++"
bench=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)

say() {
  echo "bench/peers/install.sh: $1" >&2
}

skipped() {
  say "skipped: $1; the benchmarks will leave out the peers that are missing"
}

have_debian() {
  /usr/bin/python3 -c "import scipy, sklearn, pandas, torch, numpy, xgboost, onnxruntime; raise SystemExit('openblas' not in open('/proc/self/maps').read())" 2>/dev/null &&
    /usr/bin/Rscript -e "library(glmnet); library(posterior); library(rstan)" >/dev/null 2>&1 && command -v liblinear-train >/dev/null && command -v jags >/dev/null && command -v toulbar2 >/dev/null && command -v g++ >/dev/null
}

install_debian() {
  if have_debian; then
    say "scikit-learn, pandas, SciPy, PyTorch, XGBoost, onnxruntime, OpenBLAS, glmnet, posterior, rstan, LIBLINEAR, JAGS, toulbar2 and g++ are here already"
    return
  fi
  if ! command -v apt-get >/dev/null; then
    skipped "there is no apt-get here; install scikit-learn, pandas, SciPy, PyTorch, XGBoost, onnxruntime, OpenBLAS, glmnet, posterior, rstan, LIBLINEAR, JAGS, toulbar2 and g++ by other means"
    return
  fi
  if [ "$(id -u)" = 0 ]; then
    as_root=""
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo"
  else
    skipped "installing $packages needs root; run this script as root"
    return
  fi
  export DEBIAN_FRONTEND=noninteractive
  if ! $as_root apt-get update >&2; then
    skipped "apt-get update failed"
    return
  fi
  # One at a time: where one cannot be had, the other's benchmarks still run.
  failed=""
  for package in $packages; do
    $as_root apt-get install -y --no-install-recommends "$package" >&2 || failed="$failed $package"
  done
  [ -z "$failed" ] || skipped "apt-get could not install$failed"
}

install_npm() {
  (cd "$bench" && npm ci --ignore-scripts --no-audit --no-fund >&2) || skipped "npm could not install what bench/package.json names"
}

compile_stan() {
  /usr/bin/Rscript --vanilla "$bench/peers/rstan_compile.R" "$bench/results/stan" >&2 || skipped "rstan could not compile the programs of bench/peers/stan"
}

install_debian
install_npm
[ "${1:-}" != --stan ] || compile_stan
