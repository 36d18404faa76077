#!/usr/bin/env bash
# Installs what Bale needs and the machine lacks: C libraries by apt. Swift 6.3 has to be there already.
set -euo pipefail

# Bale calls BLAS from threads of its own: the serial build of OpenBLAS serves it best, and starts none.
packages=(libzstd-dev libxxhash-dev libssl-dev libopenblas-serial-dev pkg-config make)

if ! command -v swift >/dev/null; then
  echo "setup: swift is not in PATH; Bale needs Swift 6.3 (https://www.swift.org/install/linux/)" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

sudo=()
[ "$(id -u)" -eq 0 ] || sudo=(sudo)
echo "setup: installing ${missing[*]}" >&2
"${sudo[@]}" apt-get update -qq >&2
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq "${missing[@]}" >&2
