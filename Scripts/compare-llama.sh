#!/usr/bin/env bash
# Converts and quantizes a model with Bale and with llama.cpp, and compares tensors, key-values and perplexity.
#
#     LLAMA_CPP=~/llama.cpp LLAMA_BIN=~/llama.cpp/build/bin LLAMA_PYTHON=~/venv/bin/python \
#         bash Scripts/compare-llama.sh MODEL_DIR TEXT
#
# LLAMA_CPP is a checkout of llama.cpp, LLAMA_BIN has llama-quantize and llama-perplexity, and LLAMA_PYTHON runs the
# converter (it needs torch, transformers and sentencepiece). CHUNKS=N takes the first N windows of 512 tokens.
set -euo pipefail

model=$1 text=$2
bale=${BALE:-.build/release/bale}
python=${LLAMA_PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# llama-perplexity may end before its last line is written; so it gets a few attempts.
perplexity() {
  local attempt found
  for attempt in 1 2 3 4 5 6; do
    found=$("$LLAMA_BIN/llama-perplexity" -m "$1" -f "$text" -c 512 -t "${THREADS:-2}" --chunks "${CHUNKS:--1}" 2>&1 |
      sed -n 's/.*Final estimate: PPL = \([0-9.]*\).*/\1/p')
    [ -z "$found" ] || break
  done
  echo "${found:-unknown}"
}

same_contents() {
  PYTHONPATH="$LLAMA_CPP/gguf-py" "$python" - "$1" "$2" <<'PY'
import sys
from gguf import GGUFReader

def contents(path):
    reader = GGUFReader(path)
    values = {key: field.contents() for key, field in reader.fields.items() if not key.startswith("GGUF.")}
    return values, {t.name: (t.tensor_type.name, t.shape.tolist(), t.data.tobytes()) for t in reader.tensors}

(values, tensors), (others, peers) = contents(sys.argv[1]), contents(sys.argv[2])
differ = [name for name in tensors.keys() | peers.keys() if tensors.get(name) != peers.get(name)]
differ += [key for key in values.keys() | others.keys() if values.get(key) != others.get(key)]
print(f"{len(tensors)} tensors and {len(values)} keys the same" if not differ else f"DIFFERENT: {', '.join(differ)}")
sys.exit(bool(differ))
PY
}

compare() {
  local found own peer
  found=$(same_contents "$work/own.gguf" "$work/peer.gguf")
  own=$(perplexity "$work/own.gguf")
  peer=$(perplexity "$work/peer.gguf")
  echo "$1: $found; perplexity $own, llama.cpp's $peer"
  [ "$own" = "$peer" ]
}

"$bale" convert "$model" "$work/own.gguf" --quiet
"$python" "$LLAMA_CPP/convert_hf_to_gguf.py" "$model" --outtype bf16 --outfile "$work/peer.gguf" >/dev/null 2>&1
cmp "$work/own.gguf" "$work/peer.gguf" && echo "BF16 files the same, byte for byte"
compare BF16
mv "$work/peer.gguf" "$work/bf16.gguf"
for pair in q8_0:Q8_0 q4_0:Q4_0 q4_k:Q4_K mxfp4:MXFP4_MOE; do
  "$bale" convert "$model" "$work/own.gguf" --quantize "${pair%:*}" --quiet --force
  "$LLAMA_BIN/llama-quantize" "$work/bf16.gguf" "$work/peer.gguf" "${pair#*:}" 2 >/dev/null 2>&1
  compare "${pair#*:}"
done
