#!/usr/bin/env bash
# What a fresh Debian 12 machine needs to build Zeropoint; run as root. Bazel itself brings onnx and Highway by pip.
#   tools/setup.sh          to build and run
#   tools/setup.sh test     also a virtual environment with ONNX Runtime and OpenVINO, for tests/interop and bench/
#   tools/setup.sh all      also clang, for the second compiler, sanitizers, fuzzing and linting; and Doxygen
set -euo pipefail
cd "$(dirname "$0")/.."
want=${1:-build}
packages=(
  bazel-bootstrap bazel-rules-java bazel-rules-proto bazel-platforms bazel-skylib
  ca-certificates g++ python3 python3-pip python3-venv
  libprotobuf-dev protobuf-compiler libboost-test-dev
  libcli11-dev nlohmann-json3-dev libzip-dev
  libjpeg62-turbo-dev libpng-dev
  libjs-chart.js
  flatbuffers-compiler libflatbuffers-dev
)
if [ "$want" != build ]; then
  # for tests of `mpirun zeropoint calibrate`; the program loads it only there
  packages+=(openmpi-bin)
  # for tests of the HTML report
  packages+=(chromium)
  # for projects that use the library, in tests/consumers
  packages+=(cmake make pkgconf)
fi
if [ "$want" = all ]; then
  packages+=(clang-16 libclang-rt-16-dev llvm-16 clang-tidy-16 clang-format-16)
  # for tools/api_reference.sh
  packages+=(doxygen)
  # buildifier comes by npm, which Debian splits into hundreds of packages
  command -v npm > /dev/null || packages+=(npm)
fi
export DEBIAN_FRONTEND=noninteractive
missing=()
for package in "${packages[@]}"; do
  dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "tools/setup.sh must run as root once, to install: ${missing[*]}" >&2
    exit 1
  fi
  echo "Installing ${missing[*]} and what they need"
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi

if [ "$want" != build ]; then
  venv=${ZEROPOINT_VENV:-$HOME/.cache/zeropoint-venv}
  if ! cmp -s tools/requirements.txt "$venv/requirements.txt"; then
    echo "Making the virtual environment $venv"
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement tools/requirements.txt
    # last, so that an interrupted installation is done again
    cp tools/requirements.txt "$venv"
  fi
fi
