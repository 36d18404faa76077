#!/usr/bin/env bash
# The main job on a small real model: inspect, pack, verify, archive, restore, convert and back. Ends with a table.
set -euo pipefail
cd "$(dirname "$0")/.."

bale=.build/release/bale
model=samples/tiny-mixtral
out=out/demo
rm -rf "$out"
mkdir -p "$out"

if [ -t 1 ]; then bold=$'\033[1m' plain=$'\033[0m'; else bold='' plain=''; fi
title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
step() { title "\$ bale $*"; "$bale" "$@"; }

step inspect "$model"
step pack "$model" "$out/mixtral.bale" --recipe mxfp4-experts
step verify "$out/mixtral.bale" --against "$model"
step pack "$model" "$out/archive.bale" --lossless
step unpack "$out/archive.bale" "$out/restored"

title '$ sha256sum of the originals and of what came back'
(cd "$model" && sha256sum ./*) > "$out/originals.sha256"
(cd "$out/restored" && sha256sum --check "$OLDPWD/$out/originals.sha256")

step convert "$model" "$out/mixtral.gguf"
step convert "$out/mixtral.gguf" "$out/from-gguf"
step diff "$model" "$out/from-gguf"

"$bale" pack "$model" "$out/mixtral.bale" --recipe mxfp4-experts --force --json > "$out/mxfp4.json"
"$bale" pack "$model" "$out/archive.bale" --lossless --force --json > "$out/lossless.json"
"$bale" pack "$model" "$out/int4.bale" --recipe int4-experts --json > "$out/int4.json"
"$bale" pack "$model" "$out/nf4.bale" --recipe nf4-experts --json > "$out/nf4.json"

title "What it came to ($model)"
echo
row() { printf '%-28s %10s %12s %7s %14s %9s %10s\n' "$@"; }
field() { sed -n "s/^  \"$2\": \([0-9.e+-]*\),\{0,1\}$/\1/p" "$1" | head -1; }
row "" bytes "bits/weight" ratio "relative MSE" seconds "MB/s"
original=$(field "$out/mxfp4.json" source_bytes)
row "original, BF16" "$original" 16.00 1.00 0 "" ""
for kind in lossless mxfp4 int4 nf4; do
  file="$out/$kind.json"
  awk -v name="packed: $kind$([ $kind = lossless ] || printf ' experts')" -v before="$original" \
    -v after="$(field "$file" bytes)" -v weights="$(field "$file" weights)" -v mse="$(field "$file" relative_mse)" \
    -v seconds="$(field "$file" seconds)" 'BEGIN {
      printf "%-28s %10d %12.2f %7.2f %14s %9.3f %10.0f\n", name, after, after * 8 / weights, before / after,
        mse == 0 ? "exact" : sprintf("%.5f", mse), seconds, before / seconds / 1e6 }'
done
printf '\nbits/weight counts everything in the file; the relative MSE is over the quantized tensors.\n'
