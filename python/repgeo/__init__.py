"""Exact, reproducible geometry of hidden representations.

This package carries the ``repgeo`` program and two helpers around it:

* :func:`run` hands arrays or tensors to a command and gives its report back as a dict;
* :func:`dump` writes the activations of a torch model to a file that every command reads.

>>> import numpy as np, repgeo
>>> acts = {"layer_0": np.random.randn(500, 8), "layer_1": np.random.randn(500, 3)}
>>> report = repgeo.run("id-profile", acts, estimator="two-nn")
>>> [layer["layer"] for layer in report["layers"]]
['layer_0', 'layer_1']
"""

from ._dump import dump
from ._program import version
from ._run import Report, run

__all__ = ["Report", "dump", "run", "version"]
