"""One command on arrays: streamed in, the report streamed back."""

import io
import json
import os
import subprocess
import tempfile
import threading
from typing import Any, Dict, List, Mapping, Optional

from . import _arrays
from ._program import program


class Report(Dict[str, Any]):
    """What a command found: the JSON report as a dict, see ``docs/output.md``.

    ``report["layers"]`` and so on are its fields; :meth:`table` gives every number as a row.
    """

    def __init__(self, fields: Mapping[str, Any], tidy: Optional[str] = None) -> None:
        super().__init__(fields)
        self._tidy = tidy

    def table(self) -> Any:
        """Every number of the report as a row of a ``pandas.DataFrame`` (the tidy CSV).

        Raises:
            ImportError: pandas is not installed.
            ValueError: the command writes something else than a report with ``-o``.
        """
        import pandas

        if self._tidy is None:
            raise ValueError(f"{self.get('command', 'this command')} has no table of numbers")
        return pandas.read_csv(io.StringIO(self._tidy))


def run(command: str, acts: Any = None, *more: Any, **options: Any) -> Report:
    """The report of ``repgeo COMMAND ACTS --options``.

    Args:
        command: the name of a command, e.g. ``"id-profile"``.
        acts: the layers: a mapping of names to arrays, a list of arrays, one array (numpy, or
            torch tensors of any device and precision, bfloat16 too), or a path.
        *more: further inputs, for commands that take several: arrays or paths.
        **options: flags by their names with ``_`` for ``-``; ``k=30`` is ``-k 30``, ``True`` a
            flag without value, ``None`` and ``False`` no flag, a list the flag once a value. An
            array (labels, a mask, the layers ``against`` which to compare) is handed over too.

    Returns:
        The report. Warnings are in ``report["warnings"]`` and beside each layer.

    Raises:
        ValueError: the input or an option is wrong; the text is the program's own.
        RuntimeError: the program was stopped from outside.

    >>> run("id-profile", {"a": acts_a, "b": acts_b}, estimator="gride", order=4)
    >>> run("overlap", acts, labels=classes, k=10)
    >>> run("imbalance", model_a, against=model_b)
    """
    with tempfile.TemporaryDirectory(prefix="repgeo-") as folder:
        handed = _Handed(folder)
        arguments = [program(), command, "--quiet"]
        stdin: Optional[Dict[str, Any]] = None
        if isinstance(acts, (str, os.PathLike)):
            arguments.append(os.fspath(acts))
        elif acts is not None:
            stdin = _arrays.layers(acts)
            arguments.append("-")
        arguments += [handed.value(one, "input") for one in more]
        for name, value in options.items():
            arguments += _flag(name, value, handed)

        owns_output = "output" in options or "o" in options
        reports = [os.path.join(folder, ".report.json"), os.path.join(folder, ".report.csv")]
        if owns_output:
            arguments += ["--format", "json"]
        else:
            for path in reports:
                arguments += ["-o", path]
        said = _communicate(arguments, stdin)
        if owns_output:
            return Report(json.loads(said))
        texts = []
        for path in reports:
            with open(path, encoding="utf-8") as file:
                texts.append(file.read())
        return Report(json.loads(texts[0]), texts[1])


class _Handed:
    """Arrays given as options, as files of a folder that goes away."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.count = 0

    def value(self, value: Any, name: str) -> str:
        """The value as text; arrays become files."""
        if not _arrays.is_array(value):
            return os.fspath(value) if isinstance(value, os.PathLike) else str(value)
        self.count += 1
        stem = os.path.join(self.folder, f"{_arrays.file_stem(name)}_{self.count}")
        if isinstance(value, Mapping):
            path = stem + ".safetensors"
            with open(path, "wb") as file:
                _arrays.write(file, value)
            return path
        import numpy

        array = value.detach().cpu() if hasattr(value, "detach") else value
        if "bfloat16" in str(array.dtype):
            path = stem + ".safetensors"
            with open(path, "wb") as file:
                _arrays.write(file, {name: value})
            return path
        array = numpy.asarray(array)
        if array.dtype == object:  # pandas keeps text so
            array = array.astype(str)
        numpy.save(stem + ".npy", array, allow_pickle=False)
        return stem + ".npy"


def _flag(name: str, value: Any, handed: _Handed) -> List[str]:
    """An option as the program takes it."""
    flag = f"-{name}" if len(name) == 1 else "--" + name.strip("_").replace("_", "-")
    if value is None or value is False:
        return []
    if value is True:
        return [flag]
    values = value if isinstance(value, (list, tuple)) else [value]
    words = []
    for one in values:
        text = handed.value(one, name)
        # A value that begins with a dash must not look like a flag.
        words += [f"{flag}={text}"] if flag.startswith("--") else [flag + text]
    return words


def _communicate(arguments: List[str], stdin: Optional[Mapping[str, Any]]) -> str:
    """Runs the program, feeds it the layers, and gives back what it printed."""
    if stdin is not None:
        # Before the program starts: what cannot be stored is an error of the caller.
        for name, array in stdin.items():
            _arrays.stored(array, name)
    process = subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    feeder: Optional[threading.Thread] = None
    if stdin is not None:
        feeder = threading.Thread(target=_feed, args=(process.stdin, stdin))
        feeder.start()
        process.stdin = None  # communicate() must not touch it
    try:
        out, err = process.communicate()
    except BaseException:
        process.kill()
        process.communicate()
        raise
    finally:
        if feeder is not None:
            feeder.join()
    if process.returncode < 0:
        raise RuntimeError(f"repgeo was stopped by signal {-process.returncode}")
    if process.returncode != 0:
        text = err.decode("utf-8", "replace").strip()
        for prefix in ("repgeo: ", "error: "):
            text = text[len(prefix) :] if text.startswith(prefix) else text
        raise ValueError(text)
    return out.decode("utf-8")


def _feed(pipe: Any, layers: Mapping[str, Any]) -> None:
    """Writes the layers; a program that stops reading has said why on its stderr."""
    try:
        with pipe:
            _arrays.write(pipe, layers)
    except BrokenPipeError:
        pass

