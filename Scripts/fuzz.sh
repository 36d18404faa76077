#!/usr/bin/env bash
# Fuzzes the readers:
#   Scripts/fuzz.sh MINUTES [TARGET ...]          the minutes are shared among the targets
#   Scripts/fuzz.sh --runs N [TARGET ...]         N executions of each, however long that takes
#   Scripts/fuzz.sh --seeds DIRECTORY             makes the seeds there, and runs nothing
# All of Fuzz/ unless named. Prints a line each; an input that crashes, hangs, takes too much memory or breaks a property
# stays in out/fuzz/findings and makes the exit status 1.
set -euo pipefail
cd "$(dirname "$0")/.."

usage='usage: Scripts/fuzz.sh MINUTES|--runs N|--seeds DIRECTORY [TARGET ...]'
mode=${1:?$usage}
shift
case $mode in
  --runs | --seeds)
    given=${1:?$usage}
    shift
    ;;
esac
all=(SafetensorsHeader ShardIndex GGUFHeader BaleFile JSON ZstdFrame Recipe CodecDescriptor CodecDecode Tokenizer
  ModelConfig GGUFModel Layouts ONNXModel Torch Parity Manifest SignedStatement)
targets=("${@:-${all[@]}}")
case $mode in
  --*) limit=(-runs="$given") ;;
  *) limit=(-max_total_time=$((mode * 60 / ${#targets[@]}))) ;;
esac
out=$PWD/out/fuzz

# The crash handler of Swift hides the sanitizer's report.
export SWIFT_BACKTRACE=enable=no
export ASAN_OPTIONS=quarantine_size_mb=8:detect_leaks=0:allocator_may_return_null=0

seeds() { # TARGET DIRECTORY: samples of the format, and the texts that no sample file holds
  local target=$1 to=$2 number=0 file text
  case $target in
    SafetensorsHeader) find samples -name '*.safetensors' -size -64k ;;
    ShardIndex) find samples -name '*.index.json' ;;
    GGUFHeader | GGUFModel) find samples -name '*.gguf' -size -64k ;;
    BaleFile) find samples -name '*.bale' -size -64k ;;
    JSON | ModelConfig) find samples -name '*.json' -size -64k ;;
    Tokenizer) find samples -name 'tokenizer.model' ;;
    ONNXModel) find Tests/LayoutsTests/Goldens/onnx Fuzz/Seeds/ONNXModel -name '*.onnx' -size -8k ;;
    Parity) find samples -name '*.parity' ;;
    Layouts | Torch | Manifest | SignedStatement) find "Fuzz/Seeds/$target" -type f ;;
  esac | while read -r file; do
    number=$((number + 1))
    cp "$file" "$to/sample-$number"
  done
  case $target in
    ZstdFrame)
      printf '\0\1\x28\xb5\x2f\xfd\x20\x01\x09\0\0A' >"$to/raw-block"
      printf '\0\7\x28\xb5\x2f\xfd\x20\x07\x3b\0\0A' >"$to/repeated-byte"
      ;;
    Recipe)
      printf '# comment\nmodel.*.0?.w keep\nexperts mxfp4@floor\nattention int8:group=row\n* lossless\nrouter drop\n' \
        >"$to/rules"
      ;;
    CodecDescriptor) for text in "${encodings[@]}"; do printf '%s' "$text" >"$to/$text"; done ;;
    CodecDecode)
      for text in "${encodings[@]}"; do
        printf '%s\n\x1f\x03\x02\x81\x7fabcdefghijklmnopqrstuvwxyz' "$text" >"$to/$text"
      done
      ;;
  esac
}

encodings=(
  plain:dtype=BF16 plain:dtype=F4 mxfp4 mxfp6e2m3 mxfp6e3m2 mxfp8e4m3 mxfp8e5m2 int2 int3 int4:zero=code
  int4:zero=F16,group=16,second=16 int:bits=7,group=row int8:scale=BF16 nf4 nf4:second=256 fp4
  split:dtype=BF16 split:dtype=F32
)
encodings+=($(sed -n 's/^  case \([a-zA-Z0-9_]*\) = [0-9]*$/\U\1/p' Sources/Codecs/GGML/GGMLType.swift | sed 's/^/ggml:type=/'))

longest() { # bytes of the longest input worth making
  case $1 in
    BaleFile) echo 60000 ;;
    Parity | Layouts | Torch) echo 9000 ;;
    CodecDecode | CodecDescriptor | Recipe) echo 600 ;;
    *) echo 8192 ;;
  esac
}

stat() { sed -n "s/^stat::$2: *//p" "$1" | tail -1; }

if [ "$mode" = --seeds ]; then
  for target in "${targets[@]}"; do
    mkdir -p "$given/$target"
    seeds "$target" "$given/$target"
  done
  exit
fi

mkdir -p "$out/findings"
echo "building the targets of Fuzz/" >&2
swift build -c release --package-path Fuzz --sanitize fuzzer -Xswiftc -sanitize=fuzzer,address \
  -Xcc -fsanitize=address,undefined -Xcc -fsanitize-trap=undefined >"$out/build.log" 2>&1 || { tail -20 "$out/build.log"; exit 1; }

found=0
printf '%-18s %12s %10s %8s %8s\n' target executions per-second edges findings
for target in "${targets[@]}"; do
  corpus=$out/corpus/$target
  log=$out/$target.log
  mkdir -p "$corpus" "$out/seeds/$target"
  seeds "$target" "$out/seeds/$target"
  status=0
  "Fuzz/.build/release/Fuzz$target" "$corpus" "$out/seeds/$target" "${limit[@]}" -timeout=1 \
    -rss_limit_mb=256 -max_len="$(longest "$target")" -print_final_stats=1 \
    -artifact_prefix="$out/findings/$target-" >"$log" 2>&1 || status=$?
  findings=$(find "$out/findings" -name "$target-*" | wc -l)
  [ "$status" -eq 0 ] || found=1
  printf '%-18s %12s %10s %8s %8s\n' "$target" "$(stat "$log" number_of_executed_units)" \
    "$(stat "$log" average_exec_per_sec)" "$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' "$log" | tail -1)" "$findings"
done
[ "$found" -eq 0 ] || echo "findings are in out/fuzz/findings, the reports in out/fuzz/TARGET.log" >&2
exit "$found"
