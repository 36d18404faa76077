#!/usr/bin/env bash
# bale and PyPI's model-signing check each other's signatures, in a temporary directory. Needs python3 and openssl.
set -euo pipefail
cd "$(dirname "$0")/.."
bale=${BALE:-.build/release/bale}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q model-signing pyopenssl
cp -r samples/tiny-mixtral "$work/model"
for curve in prime256v1 secp384r1 secp521r1; do
  openssl ecparam -name $curve -genkey -noout -out "$work/key.pem"
  openssl ec -in "$work/key.pem" -pubout -out "$work/public.pem" 2> /dev/null
  "$bale" sign "$work/model" --key "$work/key.pem" -o "$work/ours.sig" --quiet --force
  "$work/venv/bin/model_signing" verify key --public_key "$work/public.pem" --signature "$work/ours.sig" "$work/model"
  "$work/venv/bin/model_signing" sign key --private_key "$work/key.pem" --signature "$work/theirs.sig" "$work/model"
  "$bale" verify "$work/model" --signature "$work/theirs.sig" --key "$work/public.pem"
done
printf ' ' >> "$work/model/config.json"
if "$work/venv/bin/model_signing" verify key --public_key "$work/public.pem" --signature "$work/ours.sig" "$work/model" \
  || "$bale" verify "$work/model" --signature "$work/theirs.sig" --key "$work/public.pem"; then
  echo "a changed file went unnoticed" >&2
  exit 1
fi
