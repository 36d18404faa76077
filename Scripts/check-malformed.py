#!/usr/bin/env python3
"""Compares what readers say of a corpus of make-malformed.py.

    check-malformed.py DIRECTORY [--bale .build/release/bale] [--only WORDS] [--ggml libggml-base.so] [--reader NAME=COMMAND]...
        [--table OUT.md]

`bale` packs each case losslessly (or converts it to GGUF, where the case says so). An invalid one must end with status
1 and one line, a valid one must come back from `bale unpack` with the same bytes. Limits: a second, and 64 MiB more
than the files. Beside it, where installed: `safetensors` and `gguf` from PyPI, each in a process of its own that reads
every tensor, and ggml's own reader from a library that was built elsewhere. COMMAND is another reader, run with the file's path behind it; status 0 is acceptance.
Exit status 1 if bale's verdict is not the expected one, or a limit is exceeded.
"""
import argparse
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
SECONDS, MEMORY = 1.0, 64 << 20
ACCEPTED, REFUSED = "accepts", "refuses"


def size(path):
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(path) for f in files)


def contents(path):
    if not os.path.isdir(path):
        return {os.path.basename(path): open(path, "rb").read()}
    return {os.path.relpath(os.path.join(d, f), path): open(os.path.join(d, f), "rb").read()
            for d, _, files in os.walk(path) for f in files}


def run(words):
    """Status, standard error, seconds of CPU and peak bytes of a process."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        errors.seek(0)
        text = errors.read().decode(errors="replace")
    code = os.waitstatus_to_exitcode(status)
    seconds = min(usage.ru_utime + usage.ru_stime, time.monotonic() - start)
    return code, text, seconds, usage.ru_maxrss << 10


def bale(binary, case, path, scratch):
    """The verdict, and what is wrong with it: nothing, if all is as it should be."""
    out = os.path.join(scratch, "out." + case["target"])
    verb = ["pack", path, out, "--lossless"] if case["target"] == "bale" else ["convert", path, out]
    code, errors, seconds, memory = run([binary, *verb, "--quiet"])
    problems = []
    if seconds > SECONDS:
        problems.append(f"{seconds:.2f} s")
    if memory > MEMORY + size(path):
        problems.append(f"{memory >> 20} MiB")
    if code not in (0, 1, 2) or "Fatal error" in errors:
        return f"status {code}", problems + ["crash"], errors
    if code != 0:
        if len(errors.strip().splitlines()) != 1:
            problems.append("not one line")
        if code == 2:
            problems.append("status 2")
        return REFUSED, problems, errors
    if case["target"] == "bale":
        back = os.path.join(scratch, "back")
        code, errors, *_ = run([binary, "unpack", out, back, "--quiet"])
        if code != 0:
            problems.append("not unpacked: " + errors.strip())
        else:
            folder = os.path.dirname(path) if case["kind"] == "checkpoint" and not os.path.isdir(path) else path
            if contents(back) != contents(folder):
                problems.append("not the same bytes")
    return ACCEPTED, problems, errors


def read_safetensors(path):
    import numpy  # noqa: F401
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        for name in file.keys():
            file.get_slice(name).get_shape()


def read_gguf(path):
    from gguf import GGUFReader

    for tensor in GGUFReader(path).tensors:
        tensor.data.tobytes()


def ggml_reader(library):
    import ctypes

    class Parameters(ctypes.Structure):
        _fields_ = [("no_alloc", ctypes.c_bool), ("context", ctypes.POINTER(ctypes.c_void_p))]

    ggml = ctypes.CDLL(library)
    ggml.gguf_init_from_file.restype = ctypes.c_void_p
    ggml.gguf_init_from_file.argtypes = [ctypes.c_char_p, Parameters]

    def read(path):
        context = ctypes.c_void_p()
        if not ggml.gguf_init_from_file(path.encode(), Parameters(False, ctypes.pointer(context))):
            raise ValueError

    return read


def forked(read, path):
    """The verdict of a reader in a process of its own: refuses by an exception, else how it ended."""
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        try:
            read(path)
        except MemoryError:
            os._exit(3)
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    named = {0: ACCEPTED, 1: REFUSED, 3: "4 GiB", -signal.SIGALRM: "10 s"}
    return named.get(code, f"ends by signal {-code}" if code < 0 else f"status {code}")


def peers(arguments):
    readers = {}
    for name, read, kind in (("safetensors", read_safetensors, "safetensors"), ("gguf", read_gguf, "gguf")):
        try:
            __import__(name)
            readers[name] = (kind, lambda path, read=read: forked(read, path))
        except ImportError:
            pass
    if arguments.ggml:
        read = ggml_reader(os.path.abspath(arguments.ggml))
        readers["ggml"] = ("gguf", lambda path: forked(read, path))
    for text in arguments.reader:
        name, command = text.split("=", 1)
        other = lambda path, command=command: {0: ACCEPTED}.get(run([*command.split(), path])[0], REFUSED)
        readers[name] = ("gguf", other)
    return readers


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--bale", default=os.path.join(ROOT, ".build/release/bale"))
    parser.add_argument("--only", default="")
    parser.add_argument("--ggml")
    parser.add_argument("--reader", action="append", default=[])
    parser.add_argument("--table")
    arguments = parser.parse_args()
    readers = peers(arguments)
    rows, failures = [], 0
    for case in json.load(open(os.path.join(arguments.directory, "corpus.json"))):
        if not all(word in f"{case['kind']}/{case['name']}" for word in arguments.only.split()):
            continue
        path = os.path.join(arguments.directory, case["path"])
        scratch = tempfile.mkdtemp()
        verdict, problems, errors = bale(arguments.bale, case, path, scratch)
        shutil.rmtree(scratch)
        if (verdict == ACCEPTED) != (case["verdict"] == "valid"):
            problems.append(f"should be {case['verdict']}")
        others = {name: read(path) for name, (kind, read) in readers.items() if kind == case["kind"]}
        if problems:
            failures += 1
            print(f"{case['kind']}/{case['name']}: {', '.join(problems)}: {errors.strip()}")
        rows.append((case, verdict, others, errors.strip().replace(path, os.path.basename(path))))
    report(rows, list(readers), arguments.table)
    print(f"{len(rows)} cases, {failures} not as expected")
    sys.exit(1 if failures else 0)


def report(rows, names, table):
    for name in names:
        seen = [(case, others[name]) for case, _, others, _ in rows if name in others]
        for verdict in ("invalid", "valid"):
            counts = {}
            for case, said in seen:
                if case["verdict"] == verdict:
                    counts[said] = counts.get(said, 0) + 1
            print(f"{name} on {verdict} files: " + ", ".join(f"{said} {count}" for said, count in sorted(counts.items())))
    if not table:
        return
    with open(table, "w") as out:
        out.write("| case | verdict | reason | bale |" + "".join(f" {name} |" for name in names) + " what bale says |\n")
        out.write("|---|---|---|---|" + "---|" * len(names) + "---|\n")
        for case, verdict, others, errors in rows:
            cells = [f"{case['kind']}/{case['name']}", case["verdict"], case["reason"], verdict]
            cells += [others.get(name, "") for name in names] + [errors.removeprefix("bale: ")[:160]]
            out.write("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n")


if __name__ == "__main__":
    main()
