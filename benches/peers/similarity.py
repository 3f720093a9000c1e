#!/usr/bin/env python3
"""Times `repgeo similarity` and `repgeo clones` beside NumPy and scikit-learn, in one run.

    cargo build --release
    benches/peers/venv/bin/python benches/peers/similarity.py cka --repgeo target/release/repgeo
    benches/peers/venv/bin/python benches/peers/similarity.py clones --repgeo target/release/repgeo

`cka`     the linear CKA matrix of L layers (default 33 of 10000 x 1024, f32). NumPy takes every
          pair by itself in float32: centre both, three products, three norms. It is timed on
          --pairs pairs and scaled to all L(L-1)/2.
`clones`  one W x N layer (default 1024 x 10000), ten widths 1 ... 512, 40 draws each. scikit-learn
          fits a ridge per draw, then R2 and the correlations of the residuals, as the code of arXiv
          2106.03485 does. It is timed on --draws draws of each width and scaled to 40.

repgeo is timed as a whole process, reading included, and its numbers are compared with the peer's.
"""

import argparse
import csv
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
THREAD_VARIABLES = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["cka", "clones"])
    parser.add_argument("--repgeo", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--layers", type=int, default=33)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--columns", type=int, default=1024)
    parser.add_argument("--pairs", type=int, default=12, help="pairs that NumPy is timed on")
    parser.add_argument("--draws", type=int, default=1, help="draws of each width that scikit-learn is timed on")
    args = parser.parse_args()
    if any(os.environ.get(name) != str(args.threads) for name in THREAD_VARIABLES):
        # BLAS reads the number of threads when it is loaded.
        os.environ.update({name: str(args.threads) for name in THREAD_VARIABLES})
        os.execv(sys.executable, [sys.executable, *sys.argv])
    print(f"CPU: {cpu()}, load {os.getloadavg()[0]:.2f}, {args.threads} thread(s)", file=sys.stderr)
    (HERE / "data").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HERE / "data") as folder:
        result = {"cka": cka, "clones": clones}[args.what](args, Path(folder))
    print(json.dumps(result))


def cpu():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"


def made(rows, columns, seed):
    """Correlated columns with an offset, as activations have them."""
    import numpy as np

    random = np.random.default_rng(seed)
    latent = random.standard_normal((rows, 64), dtype=np.float32)
    mixed = latent @ random.standard_normal((64, columns), dtype=np.float32)
    noise = random.standard_normal((rows, columns), dtype=np.float32)
    return mixed / 8 + 0.3 * noise + random.standard_normal(columns, dtype=np.float32)


class Clock:
    """Seconds on the clock, and of the processor: the second hardly notices other programs."""

    def __init__(self, who=resource.RUSAGE_SELF):
        self.who = who
        self.start = self.now()

    def now(self):
        used = resource.getrusage(self.who)
        return time.perf_counter(), used.ru_utime + used.ru_stime

    def read(self):
        return tuple(b - a for a, b in zip(self.start, self.now()))


def repgeo(args, *words):
    clock = Clock(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [args.repgeo, *words, "--threads", str(args.threads), "--format", "csv", "--quiet"],
        check=True, capture_output=True, text=True,
    )
    return clock.read(), list(csv.DictReader(io.StringIO(done.stdout)))


def figures(args, own, peer):
    return {
        "threads": args.threads,
        "repgeo_clock_s": round(own[0], 2), "peer_clock_s": round(peer[0], 1), "ratio_clock": round(peer[0] / own[0], 1),
        "repgeo_cpu_s": round(own[1], 2), "peer_cpu_s": round(peer[1], 1), "ratio_cpu": round(peer[1] / own[1], 1),
    }


def cka(args, folder):
    import numpy as np

    # A shared layer between neighbours, so that similarities differ.
    for layer in range(args.layers):
        np.save(folder / f"layer_{layer:02}.npy", made(args.rows, args.columns, layer // 3))
    took, rows = repgeo(args, "similarity", folder)
    found = {(row["layer"], row["other"]): float(row["value"]) for row in rows if row["quantity"] == "cka" and not row["variant"]}

    def pair(x, y):
        x, y = x - x.mean(0), y - y.mean(0)
        return np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))

    all_pairs = [(i, j) for i in range(args.layers) for j in range(i + 1, args.layers)]
    timed = all_pairs[:: max(1, len(all_pairs) // args.pairs)][: args.pairs]
    layers = {k: np.load(folder / f"layer_{k:02}.npy") for two in timed for k in two}
    pair(layers[timed[0][0]], layers[timed[0][1]])
    clock = Clock()
    values = [pair(layers[i], layers[j]) for i, j in timed]
    numpy_took = [seconds / len(timed) * len(all_pairs) for seconds in clock.read()]
    worst = max(abs(found[f"layer_{i:02}", f"layer_{j:02}"] - v) for (i, j), v in zip(timed, values))
    return {
        "what": "cka", "layers": args.layers, "rows": args.rows, "columns": args.columns,
        **figures(args, took, numpy_took), "numpy_timed_pairs": len(timed),
        "numpy_pairs": len(all_pairs), "largest_difference": float(worst),
    }


def clones(args, folder):
    import numpy as np
    from sklearn.linear_model import Ridge
    from sklearn.metrics import r2_score

    features = made(args.rows, args.columns, 0)
    np.save(folder / "layer.npy", features)
    widths = [2**i for i in range(10) if 2**i < args.columns]
    took, rows = repgeo(args, "clones", folder / "layer.npy", "--sizes", ",".join(map(str, widths)), "--draws", "40")
    mean = {int(r["scale"]): float(r["value"]) for r in rows if (r["quantity"], r["variant"]) == ("chunk_r2", "paper")}
    spread = {int(r["scale"]): float(r["value"] or 0) for r in rows if (r["quantity"], r["variant"]) == ("chunk_r2", "paper_std_dev")}
    random = np.random.default_rng(0)
    peer_took, farthest = [0.0, 0.0], 0.0
    for width in widths:
        clock = Clock()
        for _ in range(args.draws):
            chosen = random.choice(args.columns, width, replace=False)
            ridge = Ridge(alpha=1e-8).fit(features[:, chosen], features)
            predicted = ridge.predict(features[:, chosen])
            r2 = r2_score(features, predicted, multioutput="variance_weighted")
            residual = features - predicted
            residual = residual - residual.mean(0)
            deviation = residual.std(0, ddof=1)
            correlation = residual.T @ residual / (args.rows - 1) / (np.outer(deviation, deviation) + 1e-8)
            np.abs(correlation[np.tril_indices(args.columns, -1)]).mean()
            farthest = max(farthest, abs(r2 - mean[width]) / (spread[width] + 1e-6))
        peer_took = [sum(two) for two in zip(peer_took, (s / args.draws * 40 for s in clock.read()))]
    return {
        "what": "clones", "width": args.columns, "rows": args.rows, "widths": len(widths), "draws": 40,
        **figures(args, took, peer_took), "sklearn_timed_draws": args.draws,
        "farthest_draw_in_std_dev": round(farthest, 2),
    }


if __name__ == "__main__":
    main()
