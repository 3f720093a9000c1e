"""Made-up activations for benches/device/run.sh, and torch's brute force on the same rows.

    torch_peer.py make FILE.safetensors N D f32|bf16
    torch_peer.py time FILE.safetensors K [QUERIES]

`time` prints one line of JSON: seconds of an f32 (no TF32) matrix product and top-k of all rows,
rows in host memory included and apart. With QUERIES only so many rows seek, and seconds are scaled
to all of them; that is what is printed as `scaled`.
"""

import json
import sys
import time

import torch
from safetensors.torch import load_file, save_file


def make(path, n, d, kind):
    """24 strong directions, noise, and a few columns far from 0, as hidden states have."""
    generator = torch.Generator("cuda").manual_seed(1)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, device="cuda")

    basis = normal(24, d)
    weight = 1 / torch.sqrt(1 + torch.arange(24, device="cuda"))
    dtype = torch.bfloat16 if kind == "bf16" else torch.float32
    rows = torch.empty(n, d, dtype=dtype)
    for start in range(0, n, 50_000):
        m = min(50_000, n - start)
        block = (normal(m, 24) * weight) @ basis + 0.3 * normal(m, d)
        block[:, ::97] += 20
        rows[start : start + m] = block.to(dtype).cpu()
    save_file({"layer": rows}, path)


def brute_force(rows, k, queries):
    n = len(rows)
    squares = (rows * rows).sum(1)
    step = max(1, min(n, (1 << 31) // (4 * n)))
    for start in range(0, queries, step):
        block = rows[start : min(start + step, queries)]
        scores = torch.addmm(squares[None, :], block, rows.T, alpha=-2)
        own = torch.arange(len(block), device="cuda")
        scores[own, own + start] = torch.inf
        scores.topk(k, dim=1, largest=False)


def main():
    torch.backends.cuda.matmul.allow_tf32 = False
    if sys.argv[1] == "make":
        make(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
        return
    held = load_file(sys.argv[2])["layer"]
    k, n = int(sys.argv[3]), len(held)
    queries = min(n, int(sys.argv[4])) if len(sys.argv) > 4 else n
    torch.zeros(1, device="cuda")
    held = held.clone()
    torch.cuda.synchronize()
    started = time.perf_counter()
    rows = held.cuda().float()
    torch.cuda.synchronize()
    copied = time.perf_counter() - started
    brute_force(rows, k, min(queries, 1000))
    torch.cuda.synchronize()
    started = time.perf_counter()
    brute_force(rows, k, queries)
    torch.cuda.synchronize()
    seconds = (time.perf_counter() - started) * n / queries
    print(json.dumps({"copy_s": copied, "seconds": seconds, "scaled": queries < n}))


main()
