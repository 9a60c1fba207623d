#!/usr/bin/env bash
# Passes all tests on a fresh Debian machine: installs software Vulkan and a virtual display where they
# are missing, then runs the tests in the same profile as `cargo run --release`.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v Xvfb >/dev/null || missing+=(xvfb)
ls /usr/share/vulkan/icd.d/lvp_icd*.json >/dev/null 2>&1 || missing+=(mesa-vulkan-drivers)
command -v cc >/dev/null || missing+=(build-essential)
command -v xz >/dev/null || missing+=(xz-utils)
ldconfig -p 2>/dev/null | grep -q libxkbcommon-x11 || missing+=(libxkbcommon-x11-0)
if [ "${#missing[@]}" -gt 0 ]; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo"
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq "${missing[@]}"
fi

# Nothing of the person's is read or written.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_STATE_HOME="$scratch/state" XDG_CONFIG_HOME="$scratch/config" XDG_RUNTIME_DIR="$scratch/run"
mkdir -p -m 700 "$XDG_RUNTIME_DIR"

cargo test --release --locked "$@"
