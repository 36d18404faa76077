#!/usr/bin/env python3
"""Makes Tests/ArchitecturesTests/TokenizerGoldens: small tokenizers and what llama.cpp's converter writes of them.

Usage: make-tokenizer-goldens.py LLAMA_CPP_DIR OUTPUT_DIR

Needs transformers, sentencepiece and llama.cpp's conversion package. Each golden holds the files of a model directory
(tokenizer.model in base 16) and the `tokenizer.*` key-values in order. The converter names a pre-tokenizer by a hash of
sample text, which no small vocabulary has, so its name is given by hand.
"""
import json
import pathlib
import sys
import tempfile

GPT2 = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")


def split(pattern):
    return {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False},
        {**GPT2, "use_regex": False}]}


def added(identifier, content, special, normalized=False):
    return {"id": identifier, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": normalized, "special": special}


def template(first, last):
    single = ([{"SpecialToken": {"id": first, "type_id": 0}}] if first else []) + [{"Sequence": {"id": "A", "type_id": 0}}]
    single += [{"SpecialToken": {"id": last, "type_id": 0}}] if last else []
    pair = single + [{"Sequence": {"id": "B", "type_id": 1}}]
    names = {name: {"id": name, "ids": [0], "tokens": [name]} for name in (first, last) if name}
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": names}


def byte_level(pre, added_tokens, post=None, pairs=True, normalizer=None):
    letters = [chr(c) for c in [*range(33, 127), *range(161, 173), *range(174, 256)]]
    letters += [chr(256 + i) for i in range(256 - len(letters))]
    merges = [("t", "h"), ("th", "e"), ("Ġ", "the"), ("i", "n"), ("Ġ", "Ġ")]
    vocab = {token: i for i, token in enumerate(letters + [a + b for a, b in merges])}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added_tokens,
            "normalizer": normalizer, "pre_tokenizer": pre, "post_processor": post, "decoder": GPT2,
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": True,
                      "vocab": vocab, "merges": [list(m) for m in merges] if pairs else [" ".join(m) for m in merges]}}


def byte_fallback(added_tokens):
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)] + ["▁", "a", "b", "▁a", "ab"]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added_tokens,
            "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, {
                "type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
            "pre_tokenizer": None, "post_processor": template("<s>", None),
            "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]},
            "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
                      "vocab": {token: i for i, token in enumerate(tokens)}, "merges": [["▁", "a"], ["a", "b"]]}}


def sentence_piece():
    import io
    import sentencepiece
    text = [" ".join(f"{a}{b}{c} {b}{a}" for a in "abcd" for b in "efgh") for c in "ijkl"]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text), model_writer=model, vocab_size=300, model_type="bpe", byte_fallback=True,
        hard_vocab_limit=False, user_defined_symbols=["<tool>"], control_symbols=["<ctl>"], pad_id=3,
        normalization_rule_name="identity", minloglevel=2)
    return model.getvalue()


def cases():
    config = dict(hidden_size=64, num_hidden_layers=1, num_attention_heads=2, vocab_size=280)
    llama = dict(config, architectures=["LlamaForCausalLM"], model_type="llama")
    gemma = dict(config, architectures=["Gemma2ForCausalLM"], model_type="gemma2")
    phi = dict(config, architectures=["Phi3ForCausalLM"], model_type="phi3")
    ends = [added(261, "<|begin|>", True), added(262, "<|end|>", True), added(263, "<tool>", False),
            added(264, "<|looks|>", False), added(265, "a▁b", False)]
    yield "llama3-template", "llama-bpe", dict(llama, bos_token_id=261, eos_token_id=[262, 263]), {
        "tokenizer.json": byte_level(split(LLAMA3), ends, {"type": "Sequence", "processors": [
            {**GPT2, "use_regex": False}, template("<|begin|>", None)]}),
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|begin|>",
                                  "eos_token": {**ends[1], "__type": "AddedToken"}, "add_bos_token": False},
        "chat_template.jinja": "{% for m in messages %}{{ m.content }}{% endfor %}"}
    yield "gpt2-words", "gpt-2", dict(llama, eos_token_id=262, pad_token_id=262), {
        "tokenizer.json": byte_level(GPT2, ends, pairs=False),
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|end|>",
                                  "unk_token": "<|end|>", "chat_template": [
                                      {"name": "default", "template": "{{ d }}"},
                                      {"name": "tool-use", "template": "{{ t }}"}]}}
    yield "ends-with-token", "llama-bpe", dict(llama, bos_token_id=None), {
        "tokenizer.json": byte_level(split(LLAMA3), ends, template("<|begin|>", "<|looks|>"), normalizer={"type": "NFC"}),
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|end|>",
                                  "pad_token": "<|end|>"}}
    yield "byte-fallback", None, dict(llama, vocab_size=266, bos_token_id=1, eos_token_id=2), {
        "tokenizer.json": byte_fallback([added(0, "<unk>", True), added(1, "<s>", True), added(2, "</s>", True),
                                         added(264, "<|tool|>", False), added(265, "<|end|>", True)]),
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "<|end|>",
                                  "unk_token": "<unk>", "add_prefix_space": True, "add_bos_token": True}}
    model = sentence_piece()
    decoder = {"0": added(0, "<unk>", True), "310": added(310, "<|user|>", False), "311": added(311, "▁tool", False),
               "312": added(312, "<end>", True), "400": added(400, "past", True)}
    tokenizer_config = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "<end>",
                        "add_bos_token": True, "add_eos_token": False, "added_tokens_decoder": decoder,
                        "chat_template": "{{ x }}"}
    renaming = {"added_tokens": [added(312, "<end>", True), added(313, "▁more", False)], "model": {"type": "BPE"}}
    yield "sentencepiece-padded", None, dict(llama, vocab_size=320, bos_token_id=1, eos_token_id=2), {
        "tokenizer.model": model, "added_tokens.json": {"<new>": 309, "<|user|>": 310, "<gone>": 500},
        "tokenizer_config.json": tokenizer_config}
    yield "sentencepiece-gemma", None, dict(gemma, vocab_size=316, bos_token_id=1, eos_token_id=2, pad_token_id=3), {
        "tokenizer.model": model, "tokenizer_config.json": {**tokenizer_config, "add_prefix_space": True}}
    yield "sentencepiece-phi3", None, dict(phi, vocab_size=320, bos_token_id=1, eos_token_id=2), {
        "tokenizer.model": model, "tokenizer.json": renaming,
        "tokenizer_config.json": {**tokenizer_config, "added_tokens_decoder": {
            k: v for k, v in decoder.items() if int(k) < 320}}}


def convert(directory, pre):
    from conversion import ModelBase, get_model_architecture, get_model_class
    from conversion.base import ModelType
    import gguf
    hparams = json.loads((directory / "config.json").read_text())
    cls = get_model_class(get_model_architecture(hparams, ModelType.TEXT))
    cls.get_vocab_base_pre = lambda self, tokenizer: pre
    model = cls(directory, gguf.LlamaFileType.MOSTLY_BF16, directory / "out.gguf")
    model.set_vocab()
    values = []
    for key, value in model.gguf_writer.kv_data[0].items():
        if key.startswith("tokenizer."):
            entries = value.value
            if isinstance(entries, list):
                entries = [e.decode() if isinstance(e, bytes) else int(e) if hasattr(e, "value") else e for e in entries]
            values.append([key, value.type.name, entries])
    return values


def main():
    llama, output = map(pathlib.Path, sys.argv[1:3])
    sys.path[:0] = [str(llama / "gguf-py"), str(llama)]
    for name, pre, config, files in cases():
        with tempfile.TemporaryDirectory() as temporary:
            directory = pathlib.Path(temporary) / name
            directory.mkdir()
            for file, content in {"config.json": config, **files}.items():
                data = content if isinstance(content, bytes) else (
                    content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)).encode()
                (directory / file).write_bytes(data)
            values = convert(directory, pre)
            stored = {f: c.hex() if isinstance(c, bytes) else c for f, c in {"config.json": config, **files}.items()}
        golden = json.dumps(dict(files=stored, keyValues=values), ensure_ascii=False)
        (output / f"{name}.json").write_text(golden + "\n")
        print(name, [key for key, _, _ in values])


if __name__ == "__main__":
    main()
