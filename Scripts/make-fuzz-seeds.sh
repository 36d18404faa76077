#!/usr/bin/env bash
# Makes the seeds of Fuzz/Seeds: a small matrix in each layout that the command writes, a manifest, a signed statement,
# and what Scripts/make-layout-seeds.py adds.
set -euo pipefail
cd "$(dirname "$0")/.."
bale=${BALE:-.build/release/bale}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/model"
python3 - "$work/model" <<'PYTHON'
import json, random, struct, sys
random.seed(1)
values = [struct.pack("<f", random.gauss(0, 0.05))[2:] for _ in range(16 * 128)]
name = "model.layers.0.mlp.down_proj.weight"
header = json.dumps({name: {"dtype": "BF16", "shape": [16, 128], "data_offsets": [0, 4096]}}, separators=(",", ":"))
header += " " * (-len(header) % 8)
with open(sys.argv[1] + "/model.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(header)) + header.encode() + b"".join(values))
with open(sys.argv[1] + "/config.json", "w") as file:
    file.write('{"architectures":["LlamaForCausalLM"],"model_type":"llama"}')
PYTHON

for layout in gptq awq compressed-tensors mlx bnb-nf4 compressed-tensors-fp8 compressed-tensors-mxfp4 \
  compressed-tensors-nvfp4 fp8-block; do
  "$bale" convert "$work/model" "$work/$layout" --layout "$layout" --quiet
  { tr -d '\n' <"$work/$layout/config.json"; echo; cat "$work/$layout/model.safetensors"; } \
    >"Fuzz/Seeds/Layouts/$layout"
done
mkdir -p Fuzz/Seeds/Manifest Fuzz/Seeds/SignedStatement
"$bale" manifest "$work/model" -o Fuzz/Seeds/Manifest/model --force --quiet
python3 - samples/good/signature/model.sig <<'PYTHON'
import base64, json, sys
bundle = json.load(open(sys.argv[1]))
open("Fuzz/Seeds/SignedStatement/model", "wb").write(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
PYTHON
python3 Scripts/make-layout-seeds.py Fuzz/Seeds
