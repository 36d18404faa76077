#!/usr/bin/env bash
# Makes a virtual environment with the libraries whose layouts Bale reads and writes, on the CPU.
#
#     bash Scripts/layouts/environment.sh [DIRECTORY]      # out/layout-libraries
#
# Some of them ask for packages that only training or a GPU needs: these are left out.
set -euo pipefail

directory=${1:-out/layout-libraries}
python3 -m venv "$directory"
pip=("$directory/bin/pip" --quiet install)
"${pip[@]}" --index-url https://download.pytorch.org/whl/cpu torch ||
  "${pip[@]}" torch
"${pip[@]}" numpy safetensors transformers accelerate bitsandbytes compressed-tensors 'mlx[cpu]' onnx onnxruntime
"${pip[@]}" --no-deps autoawq gptqmodel defuser device-smi tokenicer logbar pypcre torchao datasets pyarrow \
  multiprocess dill xxhash pandas python-dateutil requests urllib3 charset-normalizer certifi threadpoolctl pillow \
  protobuf aiohttp random_word
"$directory/bin/python" "$(dirname "$0")/libraries.py"
