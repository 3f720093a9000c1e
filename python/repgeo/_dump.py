"""The activations of a torch model, batch by batch, as a file that every command reads."""

import fnmatch
import os
import shutil
import tempfile
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from ._arrays import header, stored

_POOLS = ("last", "mean", "first", None)


def dump(
    model: Any,
    inputs: Iterable[Any],
    layers: Optional[Union[str, Sequence[str]]] = None,
    pool: Optional[str] = "last",
    out: Union[str, "os.PathLike[str]"] = "acts.safetensors",
    dtype: Optional[str] = "bfloat16",
) -> List[str]:
    """Runs ``model`` over ``inputs`` and writes what its layers say to ``out``.

    One batch is in memory at a time; ``out`` appears whole when the last one is through.

    Args:
        model: a ``torch.nn.Module``; it is put into evaluation mode while it runs.
        inputs: batches: a tensor, a tuple of arguments, or a mapping of keyword arguments (what a
            Hugging Face tokenizer gives). Tensors go to the device of the model.
        layers: names of modules, with ``*`` and ``?`` (``"model.layers.*.mlp"``), whose outputs
            are kept in the order in which they run. Without it the model must be one of Hugging
            Face's: its ``hidden_states`` are kept.
        pool: how ``[batch, tokens, width]`` becomes rows: the ``"last"`` or ``"first"`` token
            that the attention mask shows, their ``"mean"``, or ``None``: tokens stay, padded with
            zeros to the longest batch, and ``attention_mask`` and ``input_ids`` stand beside them.
        out: the ``.safetensors`` file; ``repgeo id-profile acts.safetensors`` reads it.
        dtype: ``"bfloat16"``, ``"float16"``, ``"float32"``, or ``None`` for the model's own.

    Returns:
        The names of the layers, in the order of the file.

    Raises:
        ValueError: no module has such a name, no batch, a layer that does not run once a batch,
            outputs that are no tensors, or padding without an attention mask.

    >>> batches = (tokenizer(t, padding=True, return_tensors="pt") for t in chunks)
    >>> dump(model, batches, pool="mean", out="acts.safetensors")
    """
    import torch

    if pool not in _POOLS:
        raise ValueError(f"pool is 'last', 'mean', 'first' or None, not {pool!r}")
    wanted = None if dtype is None else getattr(torch, dtype, None)
    if dtype is not None and not (isinstance(wanted, torch.dtype) and wanted.is_floating_point):
        raise ValueError(f"dtype is a floating-point type of torch or None, not {dtype!r}")
    path = os.path.abspath(os.fspath(out))
    if not path.endswith(".safetensors"):
        raise ValueError(f"{out}: the dump is a .safetensors file; let its name end so")
    chosen = None if layers is None else _modules(model, layers)

    was_training = model.training
    model.eval()
    folder = tempfile.mkdtemp(prefix=".repgeo-dump-", dir=os.path.dirname(path))
    try:
        parts = _Parts(folder)
        with torch.no_grad():
            for batch in inputs:
                named, mask, tokens = _states(model, batch, chosen)
                for name, state in named.items():
                    rows = _rows(state, mask, pool, name)
                    parts.add(name, rows.to(wanted) if wanted is not None else rows)
                if pool is None:
                    for name, array in (("attention_mask", mask), ("input_ids", tokens)):
                        if array is not None:
                            parts.add(name, array)
        if not parts.pieces:
            raise ValueError("inputs held no batch")
        names = [name for name in parts.pieces if name not in ("attention_mask", "input_ids")]
        parts.join(path)
        return names
    finally:
        model.train(was_training)
        shutil.rmtree(folder, ignore_errors=True)


def _modules(model: Any, layers: Union[str, Sequence[str]]) -> List[str]:
    """Names of the modules that the patterns choose."""
    patterns = [layers] if isinstance(layers, str) else list(layers)
    names = [name for name, _ in model.named_modules() if name]
    chosen: List[str] = []
    for pattern in patterns:
        found = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
        if not found:
            some = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
            raise ValueError(f"no module of the model is called {pattern}; there are {some}")
        chosen += [name for name in found if name not in chosen]
    return chosen


def _states(
    model: Any, batch: Any, chosen: Optional[List[str]]
) -> Tuple[Dict[str, Any], Optional[Any], Optional[Any]]:
    """What the layers say about one batch, its mask and its tokens."""
    import torch

    device = next((one.device for one in model.parameters()), torch.device("cpu"))

    def moved(value: Any) -> Any:
        return value.to(device) if hasattr(value, "to") else value

    named: Dict[str, Any] = {}
    hooks = []

    def keep(name: str) -> Any:
        def hook(_module: Any, _arguments: Any, output: Any) -> None:
            if name in named:
                raise ValueError(f"{name} runs more than once a batch; choose modules inside it")
            first = output[0] if isinstance(output, (tuple, list)) else output
            if not isinstance(first, torch.Tensor):
                raise ValueError(f"{name} gives {type(first).__name__}, not a tensor")
            named[name] = first.detach()

        return hook

    mask = tokens = None
    keywords: Dict[str, Any] = {}
    arguments: Tuple[Any, ...] = ()
    if isinstance(batch, Mapping):
        keywords = {name: moved(value) for name, value in batch.items()}
        mask, tokens = keywords.get("attention_mask"), keywords.get("input_ids")
    elif isinstance(batch, (tuple, list)):
        arguments = tuple(moved(value) for value in batch)
    else:
        arguments = (moved(batch),)
    if chosen is None:
        keywords["output_hidden_states"] = True
    modules = dict(model.named_modules())
    try:
        for name in chosen or []:
            hooks.append(modules[name].register_forward_hook(keep(name)))
        try:
            output = model(*arguments, **keywords)
        except TypeError as error:
            if chosen is None and "output_hidden_states" in str(error):
                raise ValueError(
                    "the model gives no hidden_states; name modules with layers=…"
                ) from error
            raise
    finally:
        for hook in hooks:
            hook.remove()
    if chosen is None:
        states = getattr(output, "hidden_states", None)
        if states is None:
            raise ValueError("the model gives no hidden_states; name modules with layers=…")
        named = {f"hidden_states.{at}": state for at, state in enumerate(states)}
    missing = [name for name in chosen or [] if name not in named]
    if missing:
        raise ValueError(f"{missing[0]} did not run; leave it out of layers")
    return named, mask, tokens


def _rows(state: Any, mask: Optional[Any], pool: Optional[str], name: str) -> Any:
    """`[batch, tokens, width]` as rows; anything else is left as it is."""
    import torch

    if state.dim() != 3 or pool is None:
        return state
    if mask is None:
        mask = torch.ones(state.shape[:2], dtype=torch.bool, device=state.device)
    if tuple(mask.shape) != tuple(state.shape[:2]):
        raise ValueError(
            f"{name} is {list(state.shape)} and the attention mask {list(mask.shape)}; "
            "pool=None keeps the tokens"
        )
    shown = mask.to(state.device) != 0
    if not bool(shown.any(1).all()):
        raise ValueError("the attention mask hides every token of an example")
    if pool == "mean":
        weights = shown.unsqueeze(-1).to(torch.float32)
        return (state.to(torch.float32) * weights).sum(1) / weights.sum(1)
    tokens = state.shape[1]
    places = torch.arange(tokens, device=state.device)
    if pool == "last":
        at = torch.where(shown, places, -1).max(1).values
    else:
        at = torch.where(shown, places, tokens).min(1).values
    return state[torch.arange(len(state), device=state.device), at]


class _Parts:
    """Batches on disk, a file a batch and array, until their number is known."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.pieces: Dict[str, List[Tuple[str, str, Tuple[int, ...]]]] = {}

    def add(self, name: str, array: Any) -> None:
        """Appends one batch of one array."""
        one = stored(array, name)
        pieces = self.pieces.setdefault(name, [])
        at = list(self.pieces).index(name)
        path = os.path.join(self.folder, f"{at}_{len(pieces)}")
        with open(path, "wb") as file:
            file.write(one.values)
        pieces.append((path, one.dtype, one.shape))

    def join(self, path: str) -> None:
        """Writes all arrays into one safetensors file, whole or not at all."""
        entries: Dict[str, Tuple[str, Tuple[int, ...], int]] = {}
        batches = {len(pieces) for pieces in self.pieces.values()}
        if len(batches) > 1:
            raise ValueError("some layers ran for some batches only; choose layers that always do")
        for name, pieces in self.pieces.items():
            dtype, rest = pieces[0][1], [list(shape[1:]) for _, _, shape in pieces]
            longest = [max(sizes) for sizes in zip(*rest)]
            fits = all(one[1:] == longest[1:] for one in rest)
            if not fits or any(one[1] != dtype for one in pieces):
                raise ValueError(f"{name} has another shape or type in some batch")
            shape = (sum(one[2][0] for one in pieces), *longest)
            size = _bytes(dtype)
            for length in shape:
                size *= length
            entries[name] = (dtype, shape, size)
        whole = os.path.join(self.folder, "whole")
        with open(whole, "wb") as file:
            file.write(header(entries))
            for name, (dtype, shape, _) in entries.items():
                for piece in self._padded(name, dtype, shape):
                    file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(whole, path)

    def _padded(self, name: str, dtype: str, shape: Tuple[int, ...]) -> Iterator[bytes]:
        """The batches of one array, tokens padded with zeros to the longest."""
        for path, _, own in self.pieces[name]:
            with open(path, "rb") as file:
                content = file.read()
            if len(own) < 2 or own[1] == shape[1]:
                yield content
                continue
            row = len(content) // own[0] if own[0] else 0
            padding = bytes((shape[1] - own[1]) * (row // own[1] if own[1] else 0))
            for at in range(own[0]):
                yield content[at * row : (at + 1) * row] + padding


def _bytes(dtype: str) -> int:
    return 1 if dtype == "BOOL" else int(dtype.lstrip("BFIU")) // 8
