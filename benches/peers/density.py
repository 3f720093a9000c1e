#!/usr/bin/env python3
"""Times densities and density peaks beside DADApy, from tables that both have ready.

    benches/peers/setup.sh
    cargo bench --bench density --no-run
    benches/peers/venv/bin/python benches/peers/density.py [--points FILE.npy] [-n 16000] [-k 300]

k*, PAk and advanced density peaks (Z 1.65) on N rows in ten normal clouds in 8 columns, or on the
f64 rows of FILE.npy. Only the three steps are timed; neighbours and the TwoNN dimension are there
before. Every measurement is a process of its own; a round runs both, every other round in the
opposite order. Lines of JSON go to stdout, the medians to stderr.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
THREAD_VARIABLES = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]


def clouds(n):
    import numpy as np

    random = np.random.default_rng(1)
    centres = 8.0 * random.random((10, 8))
    return centres[np.arange(n) % 10] + random.standard_normal((n, 8))


def dadapy(path, k, threads):
    import numpy as np
    from dadapy import Data

    data = Data(np.load(path), maxk=k, n_jobs=threads)
    data.compute_distances()
    data.compute_id_2NN()
    start = time.perf_counter()
    data.compute_kstar()
    data.compute_density_PAk()
    middle = time.perf_counter()
    data.compute_clustering_ADP(Z=1.65)
    end = time.perf_counter()
    print(json.dumps({"density": [middle - start], "peaks": [end - middle],
                      "n_peaks": int(data.N_clusters), "id": float(data.intrinsic_dim)}))


def last_line(command, threads):
    environment = dict(os.environ, **{name: str(threads) for name in THREAD_VARIABLES})
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=Path)
    parser.add_argument("-n", type=int, default=16_000)
    parser.add_argument("-k", type=int, default=300)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bench", help="the bench program, if cargo is not to find it")
    parser.add_argument("--only-dadapy", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_dadapy:
        path, k, threads = options.only_dadapy
        return dadapy(path, int(k), int(threads))

    path = options.points
    if path is None:
        import numpy as np

        path = HERE / "data" / f"clouds_{options.n}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, clouds(options.n))
    path = path.resolve()
    bench = [options.bench] if options.bench else ["cargo", "bench", "--quiet", "--bench", "density", "--"]
    for threads in map(int, options.threads.split(",")):
        contenders = {
            "repgeo": [*bench, "--points", str(path), str(options.k), str(threads), "1"],
            "dadapy": [sys.executable, __file__, "--only-dadapy", str(path), str(options.k), str(threads)],
        }
        found = {name: [] for name in contenders}
        for turn in range(options.rounds):
            names = list(contenders)[:: 1 if turn % 2 == 0 else -1]
            for name in names:
                result = last_line(contenders[name], threads)
                found[name].append(result)
                print(json.dumps({"who": name, "threads": threads, **result}), flush=True)
        medians = {name: [statistics.median(run[step][0] for run in runs) for step in ("density", "peaks")]
                   for name, runs in found.items()}
        ratio = sum(medians["dadapy"]) / sum(medians["repgeo"])
        words = ", ".join(f"{name} {a:.3f} + {b:.3f} s" for name, (a, b) in medians.items())
        print(f"{threads} threads, k = {options.k}: {words}; ratio {ratio:.1f}", file=sys.stderr)


if __name__ == "__main__":
    main()
