#!/bin/sh
# Installs the peers of the benchmarks from Debian: scikit-learn, SciPy and PyTorch for /usr/bin/python3, glmnet for /usr/bin/Rscript, LIBLINEAR.
# Where that cannot be done it says why and ends well: the benchmarks then leave those peers out, aloud.
set -u
packages="python3-sklearn python3-scipy python3-torch r-cran-glmnet liblinear-tools"

skip() {
  echo "bench/peers/install.sh: skipped: $1; the benchmarks will leave out the peers that are missing" >&2
  exit 0
}

if /usr/bin/python3 -c "import scipy, sklearn, torch" 2>/dev/null && /usr/bin/Rscript -e "library(glmnet)" >/dev/null 2>&1 && command -v liblinear-train >/dev/null; then
  echo "bench/peers/install.sh: scikit-learn, SciPy, PyTorch, glmnet and LIBLINEAR are here already" >&2
  exit 0
fi
command -v apt-get >/dev/null || skip "there is no apt-get here; install scikit-learn, SciPy, PyTorch, glmnet and LIBLINEAR by other means"
if [ "$(id -u)" = 0 ]; then
  as_root=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root="sudo"
else
  skip "installing $packages needs root; run this script as root"
fi

export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update >&2 || skip "apt-get update failed"
# One at a time: where one cannot be had, the other's benchmarks still run.
failed=""
for package in $packages; do
  $as_root apt-get install -y --no-install-recommends "$package" >&2 || failed="$failed $package"
done
[ -z "$failed" ] || skip "apt-get could not install$failed"
