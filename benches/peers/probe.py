#!/usr/bin/env python3
"""Times `repgeo probe` beside scikit-learn's LogisticRegression, in one run.

    cargo build --release
    benches/peers/venv/bin/python benches/peers/probe.py --repgeo target/release/repgeo [--tol 1e-8]

The layers and classes of fixtures/minilm, five folds. scikit-learn standardises and fits in
`cross_val_score`, with its default tolerance or another, in f32 or --f64. Processor seconds on one
thread; repgeo as a whole process, reading included.
"""

import argparse
import csv
import json
import os
import sys
from pathlib import Path

from similarity import THREAD_VARIABLES, Clock, cpu, repgeo

MINILM = Path(__file__).resolve().parents[2] / "fixtures" / "minilm"


def hidden_states(np):
    """The layers of the safetensors file, in half precision as stored."""
    data = (MINILM / "hidden_states.safetensors").read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    for name in sorted(name for name in header if name.startswith("hidden_states")):
        assert header[name]["dtype"] == "F16", name
        start, end = (8 + size + offset for offset in header[name]["data_offsets"])
        yield np.frombuffer(data[start:end], np.float16).reshape(header[name]["shape"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repgeo", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tol", type=float, default=1e-4)
    parser.add_argument("--f64", action="store_true")
    args = parser.parse_args()
    if any(os.environ.get(name) != str(args.threads) for name in THREAD_VARIABLES):
        # BLAS reads the number of threads when it is loaded.
        os.environ.update({name: str(args.threads) for name in THREAD_VARIABLES})
        os.execv(sys.executable, [sys.executable, *sys.argv])
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    print(f"CPU: {cpu()}, load {os.getloadavg()[0]:.2f}, {args.threads} thread(s)", file=sys.stderr)
    with open(MINILM / "labels.csv", newline="") as file:
        classes = [row["class"] for row in csv.DictReader(file)]
    layers = [layer.astype(np.float64 if args.f64 else np.float32) for layer in hidden_states(np)]
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    clock = Clock()
    accuracies = []
    for layer in layers:
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, tol=args.tol))
        accuracies.append(float(cross_val_score(model, layer, classes, cv=folds).mean()))
    peer = clock.read()
    own, _ = repgeo(args, "probe", MINILM, "--labels", f"{MINILM / 'labels.csv'}:class", "--folds", "5")
    print(json.dumps({
        "layers": len(layers), "rows": len(classes), "classes": len(set(classes)), "tol": args.tol, "f64": args.f64,
        "repgeo_cpu_s": round(own[1], 2), "peer_cpu_s": round(peer[1], 2), "peer_over_repgeo": round(peer[1] / own[1], 2),
        "peer_accuracies": [round(value, 3) for value in accuracies],
    }))


if __name__ == "__main__":
    main()
