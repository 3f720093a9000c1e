#!/usr/bin/env python3
"""Times two builds of repgeo in turn, and says whether they print the same bytes.

    benches/peers/venv/bin/python benches/peers/builds.py OLD NEW [--rounds 3] [--only WORD]

Processor seconds of whole processes on one thread, medians over rounds, and the median of the
ratios of each round. Layers are made up, but for `id-profile`, `imbalance` and `probe`,
which read fixtures/minilm.
"""

import argparse
import os
import resource
import statistics
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from similarity import cpu, made

HERE = Path(__file__).resolve().parent
COMMANDS = [
    "neighbours {0}/rows.npy -k 30 -o {0}/tables",
    "id-profile {1}",
    "imbalance {1}",
    "density-peaks {0}/layers",
    "probe {1} --labels {1}/labels.csv:class",
    "similarity {0}/layers --measure cka --layers 0..11",
    "similarity {0}/layers --measure rsa --layers 0..11",
    "similarity {0}/layers --measure cca --layers 0..4",
    "similarity {0}/layers --measure pwcca --layers 0..2",
    "clones {0}/layers/layer_00.npy",
]


def run(build, words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([build, *words, "--threads", "1", "--quiet", "--format", "json"], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("builds", nargs=2, metavar=("OLD", "NEW"), type=lambda path: str(Path(path).resolve()))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="commands that hold this word")
    args = parser.parse_args()
    print(f"CPU: {cpu()}, load {os.getloadavg()[0]:.2f}")
    (HERE / "data").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HERE / "data") as folder:
        (Path(folder) / "layers").mkdir()
        np.save(f"{folder}/rows.npy", made(8000, 768, 99))
        for layer in range(33):
            np.save(f"{folder}/layers/layer_{layer:02}.npy", made(2000, 1024, layer))
        for command in COMMANDS:
            if args.only not in command:
                continue
            words = command.format(folder, HERE.parents[1] / "fixtures" / "minilm").split()
            seconds, printed = [[], []], set()
            for turn in range(args.rounds):
                for at in (0, 1) if turn % 2 == 0 else (1, 0):
                    took, text = run(args.builds[at], words)
                    seconds[at].append(took)
                    printed.add(text)
            ratio = statistics.median(new / old for old, new in zip(*seconds))
            old, new = map(statistics.median, seconds)
            same = "same bytes" if len(printed) == 1 else "OTHER BYTES"
            print(f"{command.format('.', 'minilm'):60} {old:8.3f} {new:8.3f} {ratio:6.2f}  {same}", flush=True)


if __name__ == "__main__":
    main()
