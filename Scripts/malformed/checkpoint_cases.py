"""Directories: sharded safetensors with an index, split GGUF, configurations and tokenizers."""
import json

from cases import INVALID, VALID, Link
from gguf_bytes import FLOATS_PADDED, I32, STR, U16, L
from safetensors_cases import entry, tensors

A = tensors(bytes(4), a=entry("F32", [1], 0, 4))
B = tensors(bytes(8), b=entry("F32", [2], 0, 8))
INDEX = "model.safetensors.index.json"
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
MAP = {"a": FIRST, "b": SECOND}


def add(corpus):
    shards(corpus)
    texts_of_index(corpus)
    good_shards(corpus)
    splits(corpus)
    configurations(corpus)
    tokenizers(corpus)


def index(weight_map, **more):
    return json.dumps({"metadata": {"total_size": 12}, "weight_map": weight_map, **more})


def shards(corpus):
    def bad(name, reason, weight_map, **more):
        corpus.directory(name, INVALID, reason, {INDEX: index(weight_map), FIRST: A, SECOND: B, **more})

    paths = {"parent": "../secret.safetensors", "parent-inside": "x/../../secret.safetensors", "absolute": "/etc/passwd.safetensors",
             "dot": "./" + SECOND, "double-slash": "x//y.safetensors", "backslash": "..\\secret.safetensors",
             "drive": "C:\\x.safetensors", "nul": SECOND + "\0.safetensors", "empty": "", "extension": "config.json",
             "directory": "x/", "dots": "..", "url": "file:///etc/passwd.safetensors", "home-parent": "~/../x.safetensors",
             "percent": "..%2fsecret.safetensors", "long": "x" * 300 + ".safetensors", "newline": "x\n.safetensors"}
    for name, path in paths.items():
        bad(f"path-{name}", "a shard outside the directory, or none (transformers #47176)", {"a": FIRST, "b": path})
    bad("shard-missing", "a shard that isn't there", {"a": FIRST, "b": "model-00003-of-00003.safetensors"})
    bad("tensor-not-in-shard", "the index promises a tensor that its shard hasn't", {**MAP, "c": FIRST})
    bad("tensor-in-other-shard", "the index names the wrong shard", {"a": SECOND, "b": SECOND})
    bad("tensor-not-in-index", "a shard has a tensor that the index leaves out", MAP,
        **{SECOND: tensors(bytes(8), b=entry("F32", [1], 0, 4), c=entry("F32", [1], 4, 8))})
    bad("shard-cut", "a shard that is cut short", MAP, **{SECOND: B[:-1]})
    bad("shard-empty", "a shard without bytes", MAP, **{SECOND: b""})
    bad("shard-html", "a shard that is a web page", MAP, **{SECOND: b"<html>not found</html>" * 9})
    bad("shard-is-gguf", "a shard of another format", MAP, **{SECOND: L.file()})
    both = tensors(bytes(8), a=entry("F32", [1], 0, 4), b=entry("F32", [1], 4, 8))
    bad("tensor-in-two-shards", "a tensor in two shards", MAP, **{SECOND: both})
    corpus.directory("no-index-tensor-twice", INVALID, "two files, one tensor", {"x.safetensors": A, "y.safetensors": A})
    corpus.directory("no-index-shard-missing", INVALID, "the second of two numbered files is missing", {FIRST: A})
    corpus.directory("no-tensors", INVALID, "a directory without weights", {"config.json": "{}"})
    corpus.directory("two-indexes", INVALID, "two indexes, none preferred",
                     {"p.safetensors.index.json": index(MAP), "q.safetensors.index.json": index(MAP), FIRST: A, SECOND: B})


def texts_of_index(corpus):
    texts = {"empty": "", "cut": index(MAP)[:-2], "array": "[]", "null": "null", "html": "<html></html>",
             "map-missing": '{"metadata":{}}', "map-null": '{"weight_map":null}', "map-array": '{"weight_map":[]}',
             "map-string": '{"weight_map":"x"}', "shard-number": '{"weight_map":{"a":1}}', "shard-null": '{"weight_map":{"a":null}}',
             "shard-object": '{"weight_map":{"a":{}}}', "metadata-string": index(MAP, metadata="x"),
             "metadata-array": index(MAP, metadata=[]),
             "map-twice": '{"weight_map":{"a":"%s"},"weight_map":{"b":"%s"}}' % (FIRST, SECOND),
             "tensor-twice": '{"weight_map":{"a":"%s","a":"%s"}}' % (FIRST, SECOND), "behind": index(MAP) + "x",
             "comment": "// index\n" + index(MAP), "deep": '{"x":' + "[" * 20000 + "]" * 20000 + "}", "nan": index(MAP)[:-1] + ',"x":NaN}',
             "map-empty": index({})}
    for name, text in texts.items():
        corpus.directory(f"index-{name}", INVALID, "an index that is no index, or leaves out the tensors",
                         {INDEX: text, FIRST: A, SECOND: B})
    corpus.directory("index-utf16", INVALID, "an index in UTF-16", {INDEX: index(MAP).encode("utf-16"), FIRST: A, SECOND: B})
    corpus.directory("index-not-utf8", INVALID, "an index that is not UTF-8",
                     {INDEX: index(MAP).encode().replace(b'"a"', b'"\xff"'), FIRST: A, SECOND: B})


def good_shards(corpus):
    def good(name, reason, files):
        corpus.directory(name, VALID, reason, files)

    plain = {INDEX: index(MAP), FIRST: A, SECOND: B}
    good("sharded", "an index and its shards", plain)
    good("total-size-wrong", "a total size that is not the sum deserves a warning", {**plain, INDEX: index(MAP, metadata={"total_size": 7})})
    good("total-size-huge", "a total size beyond 64 bits", {**plain, INDEX: index(MAP, metadata={"total_size": 10**30})})
    good("no-metadata", "an index without metadata", {**plain, INDEX: json.dumps({"weight_map": MAP})})
    good("index-extra-fields", "an index with more than it needs", {**plain, INDEX: index(MAP, extra=[1, {"a": None}])})
    good("subdirectory", "a shard in a directory below", {INDEX: index({"a": FIRST, "b": "x/y.safetensors"}), FIRST: A, "x/y.safetensors": B})
    good("other-file-names", "shards without numbers", {INDEX: index({"a": "p.safetensors", "b": "q.safetensors"}), "p.safetensors": A, "q.safetensors": B})
    good("no-index", "two files without an index", {"x.safetensors": A, "y.safetensors": B})
    good("variant", "an index of a variant", {"model.safetensors.index.fp16.json": index(MAP), FIRST: A, SECOND: B})
    good("sidecars", "files of any content beside the weights, kept byte for byte",
         {**plain, "config.json": "{ not JSON", "tokenizer.json": b"\xff\xfe", "README.md": "", ".gitattributes": "*.bin", "a c\u00e9.txt": "x"})
    good("empty-shard", "a file without tensors beside another", {"x.safetensors": A, "empty.safetensors": tensors(b"")})


def splits(corpus):
    def part(number, count, name, total=2):
        pairs = [L.pair("split.no", U16, number), L.pair("split.count", U16, count), L.pair("split.tensors.count", I32, total)]
        return L.file(pairs, [L.info(name, [4])], FLOATS_PADDED)

    first, second = "m-00001-of-00002.gguf", "m-00002-of-00002.gguf"
    good = {first: part(0, 2, "a"), second: part(1, 2, "b")}
    corpus.directory("split", VALID, "a model in two files", good, first)
    bad = {"missing": {first: good[first]}, "same-number": {**good, second: part(0, 2, "b")},
           "other-count": {**good, second: part(1, 3, "b")}, "total": {first: part(0, 2, "a", 3), second: part(1, 2, "b", 3)},
           "tensor-twice": {**good, second: part(1, 2, "a")}, "second-cut": {**good, second: good[second][:-17]},
           "count-65535": {first: part(0, 65535, "a"), second: good[second]},
           "number-beyond": {first: part(9, 2, "a"), second: good[second]},
           "no-number": {first: L.file([L.pair("split.count", U16, 2)], [L.info("a", [4])], FLOATS_PADDED), second: good[second]},
           "count-string": {first: L.file([L.pair("split.no", U16, 0), L.pair("split.count", STR, "2")],
                                          [L.info("a", [4])], FLOATS_PADDED), second: good[second]}}
    for name, files in bad.items():
        corpus.directory(f"split-{name}", INVALID, "parts of a model that don't fit together", files, first)


TINY = {name: Link(f"tiny-mixtral/{name}") for name in ("model.safetensors", "config.json", "tokenizer.model", "tokenizer_config.json")}


def configurations(corpus):
    """Converting to GGUF reads the configuration: the same bytes are no more than a sidecar elsewhere."""
    def bad(name, reason, text):
        corpus.directory(f"config-{name}", INVALID, reason, {**TINY, "config.json": text}, target="gguf")

    corpus.directory("config-good", VALID, "the model that the next cases spoil", dict(TINY), target="gguf")
    for name, text in {"empty": "", "array": "[]", "null": "null", "cut": '{"architectures": ["Mix', "nan": '{"rope_theta": NaN}',
                       "deep": '{"x":' + "[" * 20000 + "]" * 20000 + "}"}.items():
        bad(name, "a configuration that is none", text)
    for name, text in {"none": "{}", "unknown": '{"architectures": ["EvilForCausalLM"]}', "path": '{"architectures": ["../../x"]}',
                       "string": '{"architectures": "MixtralForCausalLM"}'}.items():
        corpus.directory(f"config-{name}", VALID, "no architecture that is known: the tensors keep their names",
                         {**TINY, "config.json": text}, target="gguf")
    bad("not-utf8", "a configuration that is not UTF-8", b'{"architectures": ["\xff"]}')
    base = {"architectures": ["MixtralForCausalLM"], "hidden_act": "silu", "hidden_size": 128, "intermediate_size": 256,
            "model_type": "mixtral", "num_attention_heads": 4, "num_key_value_heads": 2, "num_experts_per_tok": 2,
            "num_hidden_layers": 2, "num_local_experts": 4, "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "vocab_size": 1024,
            "max_position_embeddings": 512}
    changes = {"vocabulary-huge": {"vocab_size": 1 << 31}, "vocabulary-large": {"vocab_size": 1 << 24}, "layers-string": {"num_hidden_layers": "2"},
               "layers-negative": {"num_hidden_layers": -2}, "layers-huge": {"num_hidden_layers": 2**62}, "layers-float": {"num_hidden_layers": 2.5},
               "layers-missing": {"num_hidden_layers": None}, "heads-zero": {"num_attention_heads": 0},
               "heads-string": {"num_attention_heads": []}, "experts-huge": {"num_local_experts": 2**40}, "hidden-list": {"hidden_size": [128]},
               "hidden-huge": {"hidden_size": 2**63}, "epsilon-string": {"rms_norm_eps": "x"}, "layers-more": {"num_hidden_layers": 3}}
    for name, change in changes.items():
        bad(name, "a configuration that doesn't fit the tensors", json.dumps({**base, **change}))


def tokenizers(corpus):
    def bad(name, reason, data):
        corpus.directory(f"tokenizer-{name}", INVALID, reason, {**TINY, "tokenizer.model": data}, target="gguf")

    piece = lambda text, body=b"\x15\0\0\0\0": b"\x0a" + bytes([2 + len(text) + len(body)]) + b"\x0a" + bytes([len(text)]) + text + body
    bad("empty", "a vocabulary of no bytes", b"")
    bad("tag-cut", "the file ends in a tag", b"\x8a")
    bad("length-cut", "the file ends in a length", b"\x0a\xff")
    bad("length-huge", "a piece longer than the file (CVE-2025-49847)", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" + bytes(8))
    bad("varint-11-bytes", "a number of more than ten bytes", b"\x0a" + b"\x80" * 11 + b"\x01")
    bad("piece-beyond-end", "a piece that ends behind the file", piece(b"a") + b"\x0a\x20\x0a\x01b")
    bad("text-beyond-piece", "a text longer than its piece", b"\x0a\x04\x0a\x20ab")
    bad("wire-type-7", "a field of an unknown type", piece(b"a") + b"\x0f\0")
    bad("field-0", "a field of number zero", piece(b"a") + b"\x02\x01x")
    bad("html", "a web page", b"<html>not found</html>")
    for name, reason, data in (("not-utf8", "a piece need not be UTF-8", piece(b"\xff\xfe")),
                               ("pieces-1025", "what is more than the model's vocabulary is cut off", piece(b"a") * 1025)):
        corpus.directory(f"tokenizer-{name}", VALID, reason, {**TINY, "tokenizer.model": data}, target="gguf")
    bad("random", "bytes of no meaning", bytes((n * 197 + 13) % 256 for n in range(4096)))
    byte_pairs = {**{k: v for k, v in TINY.items() if k != "tokenizer.model"}}
    for name, text in {"json-empty": "", "json-array": "[]", "json-cut": '{"model": {"type": "BPE", "vocab": {"a": 0',
                       "json-no-model": "{}", "json-id-negative": '{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}',
                       "json-id-huge": '{"model":{"type":"BPE","vocab":{"a":9223372036854775807},"merges":[]}}',
                       "json-id-string": '{"model":{"type":"BPE","vocab":{"a":"0"},"merges":[]}}',
                       "json-id-twice": '{"model":{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}}',
                       "json-merge-number": '{"model":{"type":"BPE","vocab":{"a":0},"merges":[1]}}',
                       "json-deep": "[" * 50000, "json-added-huge": '{"added_tokens":[{"id":1e300,"content":"x"}],"model":{"type":"BPE","vocab":{},"merges":[]}}'}.items():
        corpus.directory(f"tokenizer-{name}", INVALID, "a tokenizer.json that is none",
                         {**byte_pairs, "tokenizer.json": text}, target="gguf")
