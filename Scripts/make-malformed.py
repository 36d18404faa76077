#!/usr/bin/env python3
"""Writes a corpus of malformed files, and of files that look wrong and are right.

    make-malformed.py DIRECTORY

GGUF and safetensors files, sharded and split checkpoints, configurations and tokenizers, from the rules of specs/ and
from the published vulnerabilities of readers. DIRECTORY/corpus.json lists them: name, kind, verdict, reason, path, and
what each is converted to. The same bytes every time. Scripts/check-malformed.py compares readers on them.

Needs Python 3.9, nothing else.
"""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "malformed"))
SAMPLES = os.path.join(HERE, "..", "samples")

import cases
import checkpoint_cases
import gguf_invalid
import gguf_valid
import safetensors_cases


def corpus():
    result = cases.Corpus()
    for source in (gguf_invalid, gguf_valid, safetensors_cases, checkpoint_cases):
        source.add(result)
    return result.cases


def write(case, directory):
    folder = os.path.join(directory, case.kind)
    if case.kind == "checkpoint":
        folder = os.path.join(folder, case.name)
    for name, content in case.files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if isinstance(content, cases.Link):
            os.symlink(os.path.realpath(os.path.join(SAMPLES, content.path)), path)
        else:
            with open(path, "wb") as out:
                out.write(content)
    return os.path.relpath(os.path.join(folder, case.open), directory).rstrip("/")


def main():
    directory = sys.argv[1]
    os.makedirs(directory)
    rows = [{"name": case.name, "kind": case.kind, "verdict": case.verdict, "reason": case.reason, "target": case.target,
             "path": write(case, directory)} for case in corpus()]
    with open(os.path.join(directory, "corpus.json"), "w") as out:
        json.dump(rows, out, indent=1)
    count = lambda verdict: sum(row["verdict"] == verdict for row in rows)
    print(f"{count(cases.INVALID)} invalid, {count(cases.VALID)} valid in {directory}")


if __name__ == "__main__":
    main()
