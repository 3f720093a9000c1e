#!/usr/bin/env python3
"""Exact TwoNN and Gride values by brute force, as slow and plain as possible.

    exact_reference.py PATH [-o OUT.json] [--against DADAPY.json] [--rows N]

PATH is a folder of .npy files or one .safetensors file; each array (N, D) is a
layer. Distances are direct differences in float64, one row at a time: no matrix
product, no estimator library, nothing shared with repgeo but the equations.

Conventions (docs/methods.md has the equations):
  - equal rows are collapsed to their first occurrence, rows with equal distances
    keep the lower index first;
  - TwoNN base and mle-censored fit the smallest trunc(0.9 M) ratios, errors of
    `base` come from a delete-one-block jackknife, block = row index mod 50;
  - Gride runs n1 = 1, 2, 4, ... while n2 = 2 n1 <= N - 1; ratios equal to 1 are
    left out when n2 - n1 > 1; then ratios at or above q50 + 20 (q95 - q50) are;
  - a quantity that does not exist is null, with the reason beside it.

Needs numpy and scipy only (see requirements.txt).
"""

import argparse
import json
import struct
from pathlib import Path

import numpy as np
import scipy
from scipy.optimize import brentq

FRACTION = 0.9
BLOCKS = 50
PRIOR_ALPHA, PRIOR_BETA = 2.0, 5.0


def read_layers(path):
    """Name and array of every layer, in natural order."""
    if path.is_dir():
        return [(file.stem, np.load(file)) for file in sorted(path.glob("*.npy"))]
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    kinds = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}
    layers = []
    for name, entry in header.items():
        start, stop = (8 + length + offset for offset in entry["data_offsets"])
        values = np.frombuffer(data[start:stop], kinds[entry["dtype"]])
        layers.append((name, values.reshape(entry["shape"])))
    return sorted(layers, key=lambda layer: int(layer[0].rsplit(".", 1)[-1]))


def distinct_rows(x):
    """The first occurrence of every row, in input order."""
    _, first = np.unique(x + 0.0, axis=0, return_index=True)
    return x[np.sort(first)]


def sorted_distances(x):
    """Row i holds the distances from row i to all others, ascending; self is left out by index."""
    n = len(x)
    out = np.empty((n, n - 1))
    for i in range(n):
        difference = x - x[i]
        squared = (difference * difference).sum(axis=1)
        out[i] = np.sort(np.sqrt(np.delete(squared, i)))
    return out


def through_origin(log_mus):
    """Slope of -ln(1 - i/M) on the ordered ln mu, over the smallest trunc(0.9 M)."""
    total = len(log_mus)
    m = int(total * FRACTION)
    x = np.sort(log_mus)[:m]
    y = -np.log1p(-np.arange(1, m + 1) / total)
    return float((x * y).sum() / (x * x).sum())


def jackknife(log_mus):
    """Standard error of `through_origin` from deleting blocks of ratios."""
    blocks = min(BLOCKS, len(log_mus))
    block = np.arange(len(log_mus)) % blocks
    values = np.array([through_origin(log_mus[block != b]) for b in range(blocks)])
    return float(np.sqrt((blocks - 1) / blocks * ((values - values.mean()) ** 2).sum()))


def two_nn(r):
    """TwoNN from sorted distances, every fit."""
    n = len(r)
    if n < 3:
        return {"id": None, "reason": "too_few_rows"}
    log_mus = np.log(r[:, 1] / r[:, 0])
    total = float(log_mus.sum())
    if total == 0:
        return {"id": None, "reason": "degenerate_ratios"}
    m = int(n * FRACTION)
    ordered = np.sort(log_mus)
    censored = (m - 1) / float(ordered[:m].sum() + (n - m) * ordered[m - 1])
    a, b = PRIOR_ALPHA + n, PRIOR_BETA + total
    mle = (n - 1) / total
    return {
        "n": n,
        "n_fit": m,
        "n_tied": int((log_mus == 0).sum()),
        "distance": float(r[:, :2].mean()),
        "base": {"id": through_origin(log_mus), "std_error": jackknife(log_mus)},
        "mle": {"id": mle, "std_error": mle / n**0.5},
        "mle_censored": {"id": censored, "std_error": censored / m**0.5},
        "bayes": {"id": a / b, "std_error": a**0.5 / b, "mode": (a - 1) / b},
    }


def gride(r, n1):
    """Gride at neighbour orders n1 and 2 n1: the root of its estimating equation."""
    n2 = 2 * n1
    gap = n2 - n1 - 1
    near, far = r[:, n1 - 1], r[:, n2 - 1]
    mus = far / near
    tied = int((mus == 1).sum())
    if gap > 0:
        mus = mus[mus > 1]
    point = {
        "order": n1,
        "distance": float((near.mean() + far.mean()) / 2),
        "n_tied": tied,
        "id": None,
        "std_error": None,
    }
    if len(mus) < 2:
        return point | {"n": len(mus), "n_filtered": 0, "reason": "degenerate_ratios"}
    q50, q95 = np.quantile(mus, [0.5, 0.95])
    kept = mus[mus < q50 + 20 * (q95 - q50)] if q95 > q50 else mus
    point |= {"n": len(kept), "n_filtered": len(mus) - len(kept)}
    log_mus = np.log(kept)
    m, total = len(kept), float(log_mus.sum())
    if total == 0:
        return point | {"reason": "degenerate_ratios"}

    def excess(d):
        if gap == 0:
            return (m - 1) / d - (n2 - 1) * total
        weight = (n2 - 1) + gap / np.expm1(-d * log_mus)
        return (m - 1) / d - float((weight * log_mus).sum())

    low = high = (m - 1) / total
    while excess(low) < 0:
        low /= 2
    while excess(high) > 0:
        high *= 2
    d = brentq(excess, low, high, xtol=1e-300, rtol=1e-13) if low < high else low
    curvature = m / d**2
    if gap > 0:
        curvature += gap * float((log_mus**2 / (4 * np.sinh(d * log_mus / 2) ** 2)).sum())
    return point | {"id": float(d), "std_error": curvature**-0.5}


def describe(x):
    """Everything this script knows about one layer."""
    rows = distinct_rows(np.asarray(x, dtype=np.float64))
    out = {"n_rows": len(x), "n_unique": len(rows), "n_columns": x.shape[1], "dtype": x.dtype.name}
    if len(x) > 1 and len(rows) == 1:
        return out | {"id": None, "reason": "all_rows_identical"}
    if len(rows) < 3:
        return out | {"id": None, "reason": "too_few_rows"}
    r = sorted_distances(rows)
    orders = [2**j for j in range(32) if 2 ** (j + 1) <= len(rows) - 1]
    return out | {"two_nn": two_nn(r), "gride": [gride(r, n1) for n1 in orders]}


def compare(layers, peer):
    """Largest relative differences from DADApy's values, layer by layer."""
    print(f"{'layer':32} {'two_nn base':>12} {'two_nn mle':>12} {'gride id':>12} {'gride error':>12}")
    for name, layer in layers.items():
        theirs = peer["layers"].get(name)
        if theirs is None or "two_nn" not in layer or "base" not in layer["two_nn"]:
            continue
        cells = []
        for key, fit in (("id_2nn_base", "base"), ("id_2nn_ml", "mle")):
            value = theirs[key].get("id")
            ours = layer["two_nn"][fit]["id"]
            cells.append(abs(value - ours) / ours if isinstance(value, float) else float("nan"))
        for key, field in (("ids", "id"), ("errs", "std_error")):
            pairs = zip(theirs["gride"][key], layer["gride"])
            gaps = [abs(a - b[field]) / b[field] for a, b in pairs if b[field] is not None]
            cells.append(max(gaps, default=float("nan")))
        print(f"{name:32} " + " ".join(f"{cell:12.1e}" for cell in cells))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--against", type=Path, help="a file of fixtures/reference/dadapy")
    parser.add_argument("--rows", type=int, help="use the first N rows only")
    args = parser.parse_args()

    layers = {name: describe(x[: args.rows]) for name, x in read_layers(args.path)}
    if args.output:
        report = {
            "made_by": "benches/peers/exact_reference.py",
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "fraction": FRACTION,
            "layers": layers,
        }
        args.output.write_text(json.dumps(report, indent=1) + "\n")
    if args.against:
        compare(layers, json.loads(args.against.read_text()))


if __name__ == "__main__":
    main()
