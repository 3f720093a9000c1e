#!/usr/bin/env python3
"""Times repgeo beside its peers, in one run, on one machine.

    benches/peers/setup.sh
    cargo build --release
    benches/peers/venv/bin/python benches/peers/run.py table --repgeo
    benches/peers/venv/bin/python benches/peers/run.py profile DIR --repgeo target/release/repgeo
    benches/peers/venv/bin/python benches/peers/run.py imbalance DIR --repgeo target/release/repgeo

`table`    exact neighbours of N rows in D columns (default 10000 x 768, k = 30):
           faiss IndexFlatL2, DADApy compute_distances, scikit-learn brute force,
           and with --repgeo the bench binary `cargo bench --bench neighbours`, once for
           every --kernel; scikit-learn's kd_tree with --peers sklearn-kd_tree, and,
           installed beside requirements.txt, usearch and scikit-learn-intelex with
           --peers usearch sklearn-intelex.
           Only the search is timed, after a warm-up on 512 rows.
`imbalance` the matrix of information imbalances of every .npy layer of DIR, k = 1,
           as whole processes: DADApy with full rank tables (maxk = N - 1), computed
           once a layer and shared by all pairs, beside `repgeo imbalance`.
`profile`  TwoNN and Gride to N/2 on every .npy layer of DIR, as whole processes
           with start-up and reading: DADApy beside `repgeo id-profile`.

Every measurement is a process of its own with its own number of threads. A round
runs every contender once, every other round in the opposite order; the medians
over rounds are compared. Lines of JSON, one a measurement, go to stdout; the CPU
and a markdown table of medians follow on stderr.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
THREAD_VARIABLES = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"]
WARM_UP_ROWS = 512


# ---- contenders: each runs in a process of its own and returns seconds ----


def faiss_table(x, k, threads):
    import faiss

    faiss.omp_set_num_threads(threads)

    def search(rows):
        index = faiss.IndexFlatL2(rows.shape[1])
        index.add(rows)
        index.search(rows, k + 1)

    return timed(search, x)


def dadapy_table(x, k, threads):
    from dadapy import Data

    return timed(lambda rows: Data(rows, maxk=k, n_jobs=threads).compute_distances(), x)


def sklearn_table(x, k, threads):
    from sklearn.neighbors import NearestNeighbors

    def search(rows):
        NearestNeighbors(n_neighbors=k, algorithm="brute", n_jobs=threads).fit(rows).kneighbors()

    return timed(search, x)


def sklearn_tree_table(x, k, threads):
    from sklearn.neighbors import NearestNeighbors

    def search(rows):
        NearestNeighbors(n_neighbors=k, algorithm="kd_tree", n_jobs=threads).fit(rows).kneighbors()

    return timed(search, x)


def sklearn_intelex_table(x, k, threads):
    from daal4py import daalinit
    from sklearnex.neighbors import NearestNeighbors

    daalinit(threads)

    def search(rows):
        NearestNeighbors(n_neighbors=k, algorithm="brute").fit(rows).kneighbors()

    return timed(search, x)


def usearch_table(x, k, threads):
    from usearch.index import MetricKind, search as exact_search

    def search(rows):
        exact_search(rows, rows, k + 1, MetricKind.L2sq, exact=True, threads=threads)

    return timed(search, x)


def timed(search, x):
    search(x[:WARM_UP_ROWS])
    start = time.perf_counter()
    search(x)
    return time.perf_counter() - start


TABLES = {
    "faiss": faiss_table,
    "dadapy": dadapy_table,
    "sklearn": sklearn_table,
    "sklearn-kd_tree": sklearn_tree_table,
    "sklearn-intelex": sklearn_intelex_table,
    "usearch": usearch_table,
}


def dadapy_profile(folder, threads):
    import numpy as np
    from dadapy import Data

    for file in sorted(Path(folder).glob("*.npy")):
        x = np.load(file)
        two_nn = Data(x, maxk=2, n_jobs=threads).compute_id_2NN(algorithm="base", mu_fraction=0.9)
        gride = Data(x, n_jobs=threads).return_id_scaling_gride(range_max=len(x) // 2)
        print(file.stem, two_nn[0], list(gride[0]), file=sys.stderr)


def dadapy_imbalance(folder, threads):
    import numpy as np
    from dadapy import Data
    from dadapy._utils.metric_comparisons import _return_imbalance

    tables = []
    for file in sorted(Path(folder).glob("*.npy")):
        x = np.load(file)
        data = Data(x, maxk=len(x) - 1, n_jobs=threads)
        data.compute_distances()
        # Half the memory is freed at once: ranks are read from the indices.
        tables.append(data.dist_indices)
        del data
    rng = np.random.default_rng(0)
    for a in tables:
        print([_return_imbalance(a, b, rng, k=1) for b in tables], file=sys.stderr)


# ---- measuring ----


def measure(command, threads):
    """Wall seconds, CPU seconds, peak MiB and stdout of one process."""
    environment = os.environ | {name: str(threads) for name in THREAD_VARIABLES}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(command, env=environment, stdout=out, stderr=err, cwd=ROOT)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            err.seek(0)
            sys.exit(f"{' '.join(map(str, command))}\n{err.read().decode()}")
        out.seek(0)
        cpu = usage.ru_utime + usage.ru_stime
        return seconds, cpu, usage.ru_maxrss / 1024, out.read().decode()


def reported_seconds(stdout):
    """The seconds a contender printed as its last line of JSON."""
    lines = [line for line in stdout.splitlines() if line.startswith("{")]
    return statistics.median(json.loads(lines[-1])["seconds"])


def rounds(contenders, repeats):
    """Runs every contender once a round, in alternating order."""
    results = []
    for turn in range(repeats):
        for name, threads, run in contenders if turn % 2 == 0 else contenders[::-1]:
            result = {"name": name, "threads": threads, "round": turn} | run()
            print(json.dumps(result), flush=True)
            results.append(result)
    return results


def summary(results, title):
    """CPU, medians, and the median over rounds of every contender's time over repgeo's."""
    groups = {}
    for result in results:
        groups.setdefault((result["name"], result["threads"]), []).append(result)
    ours = sorted({name for name, _ in groups if name.startswith("repgeo")})
    out = [
        f"{title}, {cpu_model()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "",
        "| contender | threads | median s | min s | max s | peak MiB |" + "".join(f" time / {name}'s |" for name in ours),
        "|---|---|---|---|---|---|" + "---|" * len(ours),
    ]
    for (name, threads), group in sorted(groups.items(), key=lambda item: (item[0][1], item[0][0])):
        seconds = [r["seconds"] for r in group]
        peaks = [r["peak_mib"] for r in group if r["peak_mib"] is not None]
        peak = f"{max(peaks):.0f}" if peaks else ""
        line = (
            f"| {name} | {threads} | {statistics.median(seconds):.3f} | {min(seconds):.3f} "
            f"| {max(seconds):.3f} | {peak} |"
        )
        for our in ours:
            # Results of a contender stand in the order of the rounds.
            rounds_of_ours = [r["seconds"] for r in groups.get((our, threads), [])]
            ratios = [theirs / mine for theirs, mine in zip(seconds, rounds_of_ours)]
            line += f" {statistics.median(ratios):.2f} |" if ratios else " |"
        out.append(line)
    print("\n".join(out), file=sys.stderr)


def cpu_model():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "unknown CPU"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown CPU")


# ---- data ----


def activations(n, d, seed=0):
    """A file of rows that look like activations: 32 strong directions of falling
    weight, noise, an offset in every column and four massive columns."""
    import numpy as np

    path = HERE / "data" / f"activations_{n}x{d}_seed{seed}.npy"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        rng = np.random.default_rng(seed)
        rank = min(32, d)
        signal = rng.normal(size=(n, rank)) * 0.9 ** np.arange(rank)
        x = signal @ rng.normal(size=(rank, d)) + 0.3 * rng.normal(size=(n, d)) + rng.normal(size=d)
        massive = rng.choice(d, size=min(4, d), replace=False)
        x[:, massive] = 100 + 5 * x[:, massive]
        np.save(path, x.astype(np.float32))
    return path


# ---- the two comparisons ----


def compare_tables(args):
    data = activations(args.n, args.d)

    def run(name, threads):
        kernel = name.removeprefix("repgeo ") if name.startswith("repgeo") else None
        if kernel:
            command = ["cargo", "bench", "--quiet", "--locked", "--bench", "neighbours", "--"]
            command += ["--table", data, str(args.k), str(threads), "1", kernel]
        else:
            command = [sys.executable, __file__, "worker-table", name, data, str(args.k), str(threads)]
        _, _, peak, stdout = measure(command, threads)
        # cargo's own memory would be measured, not the bench's
        return {"seconds": reported_seconds(stdout), "peak_mib": None if kernel else peak}

    kernels = [f"repgeo {kernel}" for kernel in args.kernel] if args.repgeo else []
    names = args.peers + kernels
    contenders = [(name, t, lambda name=name, t=t: run(name, t)) for t in args.threads for name in names]
    if kernels:
        run(kernels[0], 1)  # compiles
    summary(rounds(contenders, args.repeats), f"Neighbour table, N = {args.n}, D = {args.d}, k = {args.k}")


def compare_profiles(args):
    import numpy as np

    folder = args.dir.resolve()
    layers = sorted(folder.glob("*.npy"))
    if not layers:
        sys.exit(f"{folder}: no .npy layers")
    n = len(np.load(layers[0], mmap_mode="r"))

    def run(name, threads):
        if name == "repgeo":
            command = [args.repgeo.resolve(), "id-profile", folder, "--range-max", str(n // 2)]
            command += ["--threads", str(threads), "--format", "json"]
        else:
            command = [sys.executable, __file__, "worker-profile", folder, str(threads)]
        seconds, cpu, peak, _ = measure(command, threads)
        return {"seconds": seconds, "cpu_seconds": cpu, "peak_mib": peak}

    names = ["dadapy"] + (["repgeo"] if args.repgeo else [])
    contenders = [(name, t, lambda name=name, t=t: run(name, t)) for t in args.threads for name in names]
    title = f"Whole profile, {len(layers)} layers, N = {n}, TwoNN and Gride to {n // 2}"
    summary(rounds(contenders, args.repeats), title)


def compare_imbalances(args):
    import numpy as np

    folder = args.dir.resolve()
    layers = sorted(folder.glob("*.npy"))
    if not layers:
        sys.exit(f"{folder}: no .npy layers")
    n = len(np.load(layers[0], mmap_mode="r"))

    def run(name, threads):
        if name == "dadapy":
            command = [sys.executable, __file__, "worker-imbalance", folder, str(threads)]
        else:
            # The search alone, to say how many searches a matrix costs.
            verb = ["imbalance"] if name == "repgeo" else ["overlap", "-k", "2"]
            command = [args.repgeo.resolve(), *verb, folder, "--threads", str(threads), "--format", "json"]
        seconds, cpu, peak, _ = measure(command, threads)
        return {"seconds": seconds, "cpu_seconds": cpu, "peak_mib": peak}

    names = ["dadapy"] + (["repgeo", "repgeo overlap (one search a layer)"] if args.repgeo else [])
    contenders = [(name, t, lambda name=name, t=t: run(name, t)) for t in args.threads for name in names]
    title = f"Matrix of information imbalances, {len(layers)} layers, N = {n}, k = 1"
    summary(rounds(contenders, args.repeats), title)


def work_table(args):
    import numpy as np

    print(json.dumps({"seconds": [TABLES[args.name](np.load(args.data), args.k, args.threads)]}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="table|profile|imbalance")

    table = commands.add_parser("table")
    table.add_argument("--n", type=int, default=10_000)
    table.add_argument("--d", type=int, default=768)
    table.add_argument("--k", type=int, default=30)
    table.add_argument("--repgeo", action="store_true", help="time repgeo too")
    table.add_argument("--kernel", nargs="+", default=["auto"], help="kernels that repgeo is forced to use, in turn")
    table.add_argument("--peers", nargs="*", choices=TABLES, default=["faiss", "dadapy", "sklearn"])
    table.set_defaults(run=compare_tables)

    profile = commands.add_parser("profile")
    profile.add_argument("dir", type=Path, help="folder with one .npy per layer")
    profile.add_argument("--repgeo", type=Path, metavar="PATH", help="the repgeo binary")
    profile.set_defaults(run=compare_profiles)

    imbalance = commands.add_parser("imbalance")
    imbalance.add_argument("dir", type=Path, help="folder with one .npy per layer")
    imbalance.add_argument("--repgeo", type=Path, metavar="PATH", help="the repgeo binary")
    imbalance.set_defaults(run=compare_imbalances)

    for command in (table, profile, imbalance):
        command.add_argument("--threads", type=int, nargs="+", default=[1, 2])
        command.add_argument("--repeats", type=int, default=5)

    worker = commands.add_parser("worker-table")
    worker.add_argument("name", choices=TABLES)
    worker.add_argument("data", type=Path)
    worker.add_argument("k", type=int)
    worker.add_argument("threads", type=int)
    worker.set_defaults(run=work_table)

    worker = commands.add_parser("worker-profile")
    worker.add_argument("dir", type=Path)
    worker.add_argument("threads", type=int)
    worker.set_defaults(run=lambda args: dadapy_profile(args.dir, args.threads))

    worker = commands.add_parser("worker-imbalance")
    worker.add_argument("dir", type=Path)
    worker.add_argument("threads", type=int)
    worker.set_defaults(run=lambda args: dadapy_imbalance(args.dir, args.threads))

    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
