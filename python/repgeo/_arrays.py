"""Arrays and tensors as safetensors, without copies where their memory is in order.

The format: eight bytes of length, a JSON header, the values of every tensor in C order
(https://huggingface.co/docs/safetensors). Written here in a few lines so that the package needs
no other one.
"""

import json
import re
from typing import Any, BinaryIO, Dict, List, Mapping, NamedTuple, Tuple

_BY_CODE = {
    "f2": "F16", "f4": "F32", "f8": "F64", "b1": "BOOL",
    "i1": "I8", "i2": "I16", "i4": "I32", "i8": "I64",
    "u1": "U8", "u2": "U16", "u4": "U32", "u8": "U64",
}  # fmt: skip


class Stored(NamedTuple):
    """One array as it will be stored."""

    dtype: str
    shape: Tuple[int, ...]
    values: memoryview


def stored(array: Any, name: str) -> Stored:
    """An array or tensor in C order and little endian; bfloat16 by its bits.

    Takes numpy arrays, torch tensors (on any device, with or without gradients) and whatever
    ``numpy.asarray`` understands.

    Raises:
        ValueError: complex numbers, objects, strings: nothing that a distance is taken of.
    """
    import numpy

    dtype = ""
    if hasattr(array, "detach"):  # a torch tensor; torch itself is not needed here
        array = array.detach().cpu().contiguous()
        if str(array.dtype) == "torch.bfloat16":
            import torch

            array, dtype = array.view(torch.int16), "BF16"
        array = array.numpy()
    array = numpy.asarray(array)
    if array.dtype.name == "bfloat16":  # ml_dtypes, as jax has it
        array, dtype = array.view(numpy.uint16), "BF16"
    code = array.dtype.str[1:]
    dtype = dtype or _BY_CODE.get(code, "")
    if not dtype:
        raise ValueError(f"{name} holds {array.dtype}; repgeo reads floats, integers and booleans")
    shape = tuple(array.shape)
    array = numpy.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return Stored(dtype, shape, memoryview(array.reshape(-1).view(numpy.uint8)))


def layers(acts: Any) -> Dict[str, Any]:
    """Names and arrays: of a mapping as they stand, ``layer_0``, ``layer_1``, … of a list.

    Raises:
        ValueError: no layers, or names that are no text.
    """
    if isinstance(acts, Mapping):
        named = dict(acts)
    elif isinstance(acts, (list, tuple)):
        if acts and not hasattr(acts[0], "shape"):
            raise ValueError(
                "a list is taken as layers, and its first element is no array; "
                "wrap rows with numpy.asarray"
            )
        named = {f"layer_{at}": array for at, array in enumerate(acts)}
    else:
        named = {"layer_0": acts}
    if not named:
        raise ValueError("there are no layers in what was given")
    for name in named:
        if not isinstance(name, str) or not name:
            raise ValueError(f"{name!r} names a layer; give names as text")
    return named


def write(file: BinaryIO, named: Mapping[str, Any]) -> None:
    """The arrays as one safetensors stream, in their order."""
    ready: List[Tuple[str, Stored]] = [(name, stored(array, name)) for name, array in named.items()]
    file.write(header({name: (one.dtype, one.shape, one.values.nbytes) for name, one in ready}))
    for _, one in ready:
        file.write(one.values)


def header(entries: Mapping[str, Tuple[str, Tuple[int, ...], int]]) -> bytes:
    """The header of tensors given as dtype, shape and bytes, padded to eight bytes.

    Readers may sort tensors, so the order is stored beside them: ``__metadata__.order``.
    """
    place = 0
    fields: Dict[str, Any] = {"__metadata__": {"order": json.dumps(list(entries))}}
    for name, (dtype, shape, size) in entries.items():
        fields[name] = {
            "dtype": dtype,
            "shape": list(shape),
            "data_offsets": [place, place + size],
        }
        place += size
    text = json.dumps(fields, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def is_array(value: Any) -> bool:
    """Whether this is an array or tensor, or a mapping of them."""
    if isinstance(value, Mapping):
        return bool(value) and all(is_array(one) for one in value.values())
    return hasattr(value, "shape") and hasattr(value, "dtype")


def file_stem(name: str) -> str:
    """A name that any file system takes."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)
