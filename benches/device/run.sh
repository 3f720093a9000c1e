#!/usr/bin/env bash
# The proof on a machine with an NVIDIA GPU, from built binaries, in under 8 minutes:
#   benches/device/run.sh TESTS BENCH REPGEO
# TESTS, BENCH: what `cargo test --lib --features cuda --no-run` and
# `cargo bench --features cuda --bench device --no-run` name; REPGEO: the binary with that feature.
# Needs python3 with torch and safetensors. Data go to $DATA, /dev/shm if unset (9 GB).
# SMOKE=1 stops after what must be right; nothing is timed.
set -uo pipefail
[ $# -eq 3 ] || { sed -n '2,8s/^# //p' "$0" >&2; exit 2; }
tests=$1 bench=$2 repgeo=$3
here=$(dirname "$(readlink -f "$0")")
data=$(mktemp -d "${DATA:-/dev/shm}/repgeo-device.XXXXXX")
trap 'rm -rf "$data"' EXIT
failed=0
say() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }
must() { "$@" || { printf 'FAILED: %s\n' "$*" >&2; failed=1; }; }

say 'the machine'
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
nproc
"$repgeo" bench --rows 2000 --columns 64 --rounds 1 --format table

say 'adversarial layers: the GPU against a scan'
must timeout 150 "$tests" neighbours::device --test-threads 4

say 'a whole command, to the byte'
make() { python3 "$here/torch_peer.py" make "$data/$1" "$2" "$3" "$4"; }
make small.safetensors 50000 1024 f32
for device in cpu cuda; do
    must timeout 100 "$repgeo" neighbours "$data/small.safetensors" -k 30 --device $device \
        -o "$data/$device" >/dev/null
done
must diff -r "$data/cpu" "$data/cuda"
[ $failed -eq 0 ] && echo 'the same bytes'

say 'the same by blocks of rows, from memory for about half of them'
must timeout 100 "$repgeo" neighbours "$data/small.safetensors" -k 30 --device cuda \
    --max-memory 1500M -o "$data/blocks" >/dev/null
must diff -r "$data/cpu" "$data/blocks"

gpus=$(nvidia-smi --list-gpus | wc -l)
if [ "$gpus" -gt 1 ]; then
    say "the same on $gpus GPUs"
    must timeout 100 "$repgeo" neighbours "$data/small.safetensors" -k 30 \
        --device "cuda:$(seq -s, 0 $((gpus - 1)))" -o "$data/several" >/dev/null
    must diff -r "$data/cpu" "$data/several"
else
    echo 'one GPU is here: several of them were NOT tried'
fi

say 'ranks: a whole command, to the byte, and what it takes'
make other.safetensors 50000 768 f32
for device in cpu cuda; do
    began=$SECONDS
    must timeout 100 "$repgeo" imbalance "$data/small.safetensors" "$data/other.safetensors" \
        -k 1,5,30 --device $device --format json >"$data/ranks.$device"
    echo "$device: $((SECONDS - began)) s"
done
must cmp "$data/ranks.cpu" "$data/ranks.cuda"
rm -f "$data/other.safetensors"

say '50 000 x 1024, the whole table in memory'
must timeout 100 "$bench" "$data/small.safetensors" 30 all 2

if command -v compute-sanitizer >/dev/null; then
    say 'compute-sanitizer'
    for part in tests::queries tests::layers_beyond tests::ranks; do
        must timeout 40 compute-sanitizer --error-exitcode 1 "$tests" \
            "neighbours::device::cuda::$part" --test-threads 1 >"$data/sanitizer"
        tail -3 "$data/sanitizer"
    done
else
    echo 'compute-sanitizer is not here: skipped'
fi
[ -z "${SMOKE:-}" ] || exit $failed

results=$data/results
for case in '100000 1024 f32 100000 3' '100000 4096 bf16 100000 3' '1000000 4096 bf16 50000 1'; do
    read -r n d kind queries repeats <<<"$case"
    say "$n x $d $kind"
    rm -f "$data"/*.safetensors
    make big.safetensors "$n" "$d" "$kind"
    ours=$(timeout 120 "$bench" "$data/big.safetensors" 30 32 "$repeats") || failed=1
    theirs=$(timeout 120 python3 "$here/torch_peer.py" time "$data/big.safetensors" 30 "$queries") ||
        failed=1
    printf '%s\n%s\n' "$ours" "$theirs"
    printf '%s\t%s\t%s\n' "$n x $d $kind" "$ours" "$theirs" >>"$results"
done

say 'table'
python3 - "$results" <<'PY' || failed=1
import json, statistics, sys
failed = False
print("N x D | exact, s | rows wrong | torch f32, s | and its copy, s | ratio, copies included")
for line in open(sys.argv[1]):
    case, ours, theirs = line.rstrip("\n").split("\t")
    try:
        ours, theirs = json.loads(ours), json.loads(theirs)
    except ValueError:
        print(case, "| failed")
        failed = True
        continue
    exact = statistics.median(ours["seconds"])
    brute, copy = theirs["seconds"], theirs["copy_s"]
    scaled = " (scaled)" if theirs["scaled"] else ""
    print(f"{case} | {exact:.3f} | {ours['rows_wrong']} of {ours['rows_checked']} | "
          f"{brute:.2f}{scaled} | {copy:.2f} | {(brute + copy) / exact:.1f}")
sys.exit(failed)
PY
exit $failed
