#!/usr/bin/env bash
# Divided analyses on a real Slurm of four nodes, and with everything broken that breaks: the report
# has the bytes of one machine, or the exit code is the one that docs/cluster.md names.
#   [ROWS=9000] run.sh [PROGRAM]      fewer ROWS for a program that is not optimised
# Needs root and Slurm; where they are missing it says so and ends with 0.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(realpath "${1:-target/release/repgeo}")
daemons=$PWD/tests/cluster/daemons.sh
rows=${ROWS:-9000}
minilm=$PWD/fixtures/minilm/hidden_states.safetensors

say() { printf '  %s\n' "$1"; }
fail() { printf 'cluster: %s\n' "$1" >&2; exit 1; }

for tool in slurmctld slurmd sbatch munged setpriv python3; do
    command -v "$tool" > /dev/null || { say "LEFT OUT: there is no $tool here, nothing was tried on Slurm"; exit 0; }
done
[ "$(id -u)" = 0 ] || { say 'LEFT OUT: a Slurm of our own needs root'; exit 0; }

work=$(mktemp -d)
chmod 755 "$work"
export CLUSTER_ROOT=$work/slurm SLURM_CONF=$work/slurm/slurm.conf
full=$work/full
mkdir "$full"
cleanup() {
    "$daemons" stop || true
    umount "$full" 2> /dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
cd "$work"

# Ends with this code; shows what was said if not.
ends() {
    local code=$1 found=0
    shift
    "$@" > out.txt 2> err.txt || found=$?
    [ "$found" = "$code" ] || { cat err.txt >&2; fail "$*: exit code $found, not $code"; }
}

same() { cmp -s "$1" "$2" || fail "$3: another report than that of one machine"; }

# Waits for a report as a user would: where nothing is queued and it is not there, submits again; what
# Slurm holds because a launch failed is released.
awaited() {
    local run=$1 report=$2 idle=0 again=0 held until=$((SECONDS + 300))
    while [ "$SECONDS" -lt "$until" ]; do
        squeue -h -o '%i %r' > "$work/squeue.txt" 2> /dev/null || true
        [ -e "$report" ] && [ ! -s "$work/squeue.txt" ] && return 0
        if [ -s "$work/squeue.txt" ]; then idle=0; else idle=$((idle + 1)); fi
        if [ "$idle" -gt 20 ]; then
            [ "$again" -lt 3 ] || break
            again=$((again + 1)); idle=0
            say "nothing is queued and nothing is merged: submitted again ($again)"
            "$program" submit "$run" --slurm '-c 1' -o "$report" > /dev/null || true
        fi
        held=$(sed -n 's/ launch failed requeued held$//p' "$work/squeue.txt" | paste -sd ,)
        if [ -n "$held" ]; then
            say "released what was held after a failed launch: $held"
            scontrol release "$held" || true
            sleep 2
        fi
        sleep 0.2
    done
    tail -n 5 "$run"/slurm/*.log >&2 || true
    squeue >&2 || true
    sinfo -N -o '%N %T %E' >&2 || true
    tail -n 20 "$CLUSTER_ROOT"/log/slurmctld.log >&2 || true
    fail "$run: no report after five minutes"
}

"$daemons" start 4 2

# Layers that take a moment: f32 rows from a fixed seed.
python3 - "$rows" <<'PY'
import array, os, random, struct, sys
random.seed(7)
for layer in range(3):
    n, d = int(sys.argv[1]), 96
    values = array.array("f", (random.gauss(0, 1) for _ in range(n * d)))
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }" % (n, d)
    header += " " * (-(len(header) + 11) % 64) + "\n"
    os.makedirs("acts", exist_ok=True)
    with open(f"acts/layer_{layer}.npy", "wb") as out:
        out.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + values.tobytes())
PY

say 'bytes of one machine: id-profile, imbalance, density-peaks in 1, 4 and 7 blocks'
for analysis in id-profile imbalance density-peaks; do
    "$program" "$analysis" "$minilm" --quiet -o "alone-$analysis.json"
    for block in 100000 270 150; do
        run=$work/$analysis-$block
        "$program" plan "$analysis" "$minilm" -o "$run" --block-rows "$block" > /dev/null
        "$program" submit "$run" --slurm '-c 1' -o "$run/report.json" > /dev/null
        awaited "$run" "$run/report.json"
        same "alone-$analysis.json" "$run/report.json" "$analysis in blocks of $block"
        ends 0 "$program" verify "$run" --quiet
    done
done

say 'the recipes of docs/cluster.md: xargs and GNU parallel'
run=$work/xargs
"$program" plan imbalance "$minilm" -o "$run" --block-rows 270 > /dev/null
for _ in 1 2; do
    "$program" status "$run" --tasks 2> /dev/null |
        xargs -P 4 -I TASK "$program" shard "$run" --task TASK --quiet || true
done
"$program" merge "$run" --quiet -o "$run/report.json"
same alone-imbalance.json "$run/report.json" xargs
if command -v parallel > /dev/null; then
    run=$work/parallel
    "$program" plan id-profile "$minilm" -o "$run" --block-rows 270 > /dev/null
    "$program" status "$run" --tasks 2> /dev/null |
        parallel --will-cite -j 4 "$program" shard "$run" --task {} --quiet || true
    "$program" merge "$run" --quiet -o "$run/report.json"
    same alone-id-profile.json "$run/report.json" 'GNU parallel'
else
    say 'LEFT OUT: there is no GNU parallel here'
fi

"$program" imbalance acts -k 5 --quiet -o alone.json
planned() {
    run=$work/$1
    "$program" plan imbalance acts -k 5 -o "$run" --block-rows $((rows / 6)) > /dev/null
}
merged() {
    awaited "$run" "$run/report.json"
    same alone.json "$run/report.json" "$1"
}
submitted() { "$program" submit "$run" --slurm '-c 1' -o "$run/report.json" > /dev/null; }

say 'tasks that are killed'
planned kills
submitted
for _ in $(seq 8); do
    sleep 0.3
    # Only processes of this run.
    pgrep -f "shard $run" | head -2 | xargs -r kill -KILL 2> /dev/null || true
done
merged 'after kills'

say 'a node that dies'
planned node
submitted
sleep 0.7
"$daemons" kill-node n2
merged 'after the death of a node'
"$daemons" start-node n2

say 'a controller that dies before it saved its queue, and comes back without it'
planned controller
submitted
sleep 0.5
"$daemons" kill-controller
sleep 1
"$daemons" start-controller
merged 'after the death of the controller'

say 'a controller that dies and comes back with its queue'
planned queue
touch "$work/before"
submitted
for _ in $(seq 200); do
    [ "$CLUSTER_ROOT/state/job_state" -nt "$work/before" ] && break
    sleep 0.1
done
"$daemons" kill-controller
sleep 1
"$daemons" start-controller
merged 'after the death of a controller that kept its queue'

say 'two copies of every task at once, and tasks of two submissions'
planned twice
submitted
submitted
merged 'after two submissions'

say 'SIGTERM'
"$program" plan imbalance acts -k 5 -o stopped > /dev/null
code=0
for moment in 0.02 0.05 0.1 0.2 0.4 0.8; do
    "$program" shard stopped --task 0 --threads 1 --quiet 2> err.txt &
    child=$!
    sleep "$moment"
    kill -TERM "$child" 2> /dev/null || true
    code=0
    wait "$child" || code=$?
    [ "$code" = 75 ] && break
    # Before it listened, or after it was done.
    [ "$code" = 143 ] || [ "$code" = 0 ] || fail "SIGTERM: exit code $code, not 75"
    rm -f stopped/shards/*
done
[ "$code" = 75 ] || fail 'no SIGTERM came while a task was at work'
[ "$(find stopped/shards -type f | wc -l)" = 0 ] || fail 'SIGTERM left a file'
ends 0 "$program" shard stopped --task 0..2 --quiet
ends 3 "$program" merge stopped --quiet
ends 0 "$program" shard stopped --task 3..5 --quiet
"$program" merge stopped --quiet -o stopped.json
same alone.json stopped.json 'after SIGTERM'

say 'a full disk, for a task and for the report'
mount -t tmpfs -o "size=$((rows / 24))k" tmpfs "$full"
"$program" plan imbalance acts -k 5 -o "$full/run" --block-rows $((rows / 6)) > /dev/null
code=0
for task in $(seq 0 17); do
    "$program" shard "$full/run" --task "$task" --quiet 2> err.txt || { code=$?; break; }
done
[ "$code" = 75 ] || { cat err.txt >&2; fail "a full disk: exit code $code, not 75"; }
ends 3 "$program" status "$full/run"
mount -o remount,size=200m "$full"
ends 0 "$program" shard "$full/run" --task 0..17 --quiet
ends 0 "$program" shard "$full/run" --task 18..35 --quiet
mkdir "$full/small"
mount -t tmpfs -o size=4k tmpfs "$full/small"
code=0
"$program" merge "$full/run" --quiet -o "$full/small/report.json" 2> err.txt || code=$?
left=$(ls -A "$full/small" | wc -l)
umount "$full/small"
[ "$code" = 75 ] || { cat err.txt >&2; fail "a full disk under the report: exit code $code, not 75"; }
[ "$left" = 0 ] || fail 'half a report is left'
"$program" merge "$full/run" --quiet -o full.json
same alone.json full.json 'after a full disk'

say 'done'
