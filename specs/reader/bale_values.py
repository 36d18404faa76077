"""The values of a tensor of a file, from specs/codecs: of those, too, that are stored as their difference from another
tensor (residual.md) or from one of a base (delta.md)."""
import json
import numpy as np
import bale_codecs


def options(encoding):
    """The name of an encoding and its parameters."""
    name, _, text = encoding.partition(":")
    return name, dict(pair.split("=") for pair in text.split(",")) if text else {}


def values(bale, name):
    """F32 (F64 as F64, integers and booleans as themselves), in the tensor's shape."""
    tensor = bale.tensors[name]
    kind, parameters = options(tensor.encoding)
    if kind == "delta":
        return bale_codecs.plain(tensor.dtype, int(np.prod(tensor.shape)), source(bale, name)).reshape(tensor.shape)
    if kind == "residual":
        pieces = residual(bale, tensor, parameters)
    else:
        pieces = [bale_codecs.decode(tensor.encoding, *span) for span in tensor.spans()]
    return (np.concatenate(pieces) if pieces else np.zeros(0, np.float32)).reshape(tensor.shape)


def residual(bale, tensor, parameters):
    """Each part stands beside the whole reference: the sum of both, rounded once."""
    inner, name = parameters.pop("codec"), parameters.pop("reference")
    if inner == "residual" or options(bale.tensors[name].encoding)[0] == "residual":
        raise ValueError("a residual of a residual")
    inner += ":" * bool(parameters) + ",".join("%s=%s" % pair for pair in parameters.items())
    reference, pieces, at = values(bale, name).reshape(-1), [], 0
    for span in tensor.spans():
        difference = bale_codecs.decode(inner, *span)
        pieces.append(reference[at:at + len(difference)] + difference)
        at = (at + len(difference)) % len(reference)
    if at:
        raise ValueError("the reference has another size")
    return pieces


def base(bale, other):
    """Names the file that this one is stored as the difference from."""
    roots = json.loads(bale.shards[0].raw["META"]).get("base", {}).get("roots")
    if roots != [shard.root.hex() for shard in other.shards]:
        raise ValueError("another base")
    bale.based = other


def source(bale, name):
    """The bytes of a float tensor in its source's dtype."""
    tensor = bale.tensors[name]
    kind, parameters = options(tensor.encoding)
    data = [planes for _, _, _, planes in tensor.spans()]
    if kind == "plain":
        return b"".join(planes[0] for planes in data)
    if kind == "split":
        return b"".join(bale_codecs.joined(planes) for planes in data)
    if kind != "delta":
        raise ValueError("not a float tensor")
    return bale_codecs.delta(parameters["op"], [b"".join(plane) for plane in zip(*data)], source(bale.based, name))
