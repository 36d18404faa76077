"""What a case of the corpus is."""
from dataclasses import dataclass, field

VALID, INVALID = "valid", "invalid"


@dataclass
class Case:
    """Files, what a reader must say of them, and why."""

    name: str
    kind: str  # gguf, safetensors, or checkpoint: a directory
    verdict: str
    reason: str
    files: dict = field(default_factory=dict)  # path below the case's folder: bytes, or a link to a sample
    open: str = ""  # which of the files is opened; "" the directory itself
    target: str = "bale"  # what it is converted to; "gguf" needs config and tokenizer


@dataclass(frozen=True)
class Link:
    """A file of samples/, linked instead of copied."""

    path: str


class Corpus:
    def __init__(self):
        self.cases = []

    def add(self, case):
        if any(c.kind == case.kind and c.name == case.name for c in self.cases):
            raise SystemExit(f"two cases are named {case.kind}/{case.name}")
        self.cases.append(case)

    def file(self, kind, name, verdict, reason, data):
        path = f"{name}.{kind}"
        self.add(Case(name, kind, verdict, reason, {path: data}, path))

    def directory(self, name, verdict, reason, files, open="", target="bale"):
        files = {k: v.encode() if isinstance(v, str) else v for k, v in files.items()}
        self.add(Case(name, "checkpoint", verdict, reason, files, open, target))
