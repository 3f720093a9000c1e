#!/usr/bin/env bash
# Kills runs at random moments, over all writers: no half file, nothing left after the next run, and
# the bytes of an undisturbed run. Usage: REPGEO=target/release/repgeo tests/kills.sh [KILLS]
set -euo pipefail
cd "$(dirname "$0")/.."
repgeo=$(realpath "${REPGEO:-target/release/repgeo}")
kills=${1:-1000}
# Few rows: the shorter the search, the more of the kills fall on the writing.
rows="--rows 0..${ROWS:-800}"
acts="fixtures/minilm $rows"
model=fixtures/mechanisms/gpt2_tiny
work=$(mktemp -d)
# A child that is stopped before it becomes repgeo still has this trap.
trap '[ "$BASHPID" != "$$" ] || rm -rf "$work"' EXIT

# The writers, by number; $2 is the folder they write into. A cache of its own each: a longer table
# takes the place of a shorter one.
writers=10
write() {
    case $1 in
        0) exec "$repgeo" neighbours $acts -k 200 -o "$2/tables" -q ;;
        1) exec "$repgeo" id-profile $acts --cache "$2/cache$1" --range-max 128 -o "$2/id.json" -q ;;
        2) exec "$repgeo" density-peaks $acts --assignments "$2/rows" -o "$2/peaks.csv" -q ;;
        3) exec "$repgeo" forward $model --tokens $model/prompts.safetensors --dump resid-post,z,k,v,logits \
               --positions all --precision f64 -o "$2/streams.safetensors" -q ;;
        4) exec "$repgeo" imbalance $acts --to next --cache "$2/cache$1" -o "$2/imbalance.json" -q ;;
        5) exec "$repgeo" id-profile $acts --layers 2 --estimator mle --local "$2/local.npy" --plot "$2/id.svg" -q ;;
        6) exec "$repgeo" landscape $acts --layers 3 --log-density "$2/density.npy" \
               --decision-graph "$2/decision.csv" -o "$2/landscape.json" -q ;;
        7) exec "$repgeo" overlap $acts --to next --cache "$2/cache$1" --plot "$2/overlap.svg" -o "$2/overlap.csv" -q ;;
        8) exec "$repgeo" similarity $acts --to next -o "$2/similarity.json" -o "$2/similarity.csv" -q ;;
        9) exec "$repgeo" report $acts --only dimension --cache "$2/cache$1" -o "$2/page.html" -q ;;
    esac
}

mkdir "$work/true" "$work/out"
# How long each takes, in milliseconds: runs are killed at any moment of that.
declare -a takes
for ((writer = 0; writer < writers; writer++)); do
    started=$(date +%s%3N)
    (write $writer "$work/true") > /dev/null
    takes[writer]=$(($(date +%s%3N) - started))
done
(cd "$work/true" && find . -type f | sort | xargs -d '\n' sha256sum) > "$work/sums"

half=0 killed=0
for ((turn = 0; killed < kills; turn++)); do
    writer=$((turn % writers))
    write $writer "$work/out" > /dev/null 2>&1 &
    child=$!
    milliseconds=$((RANDOM * takes[writer] / 32768))
    sleep "$(printf '%d.%03d' $((milliseconds / 1000)) $((milliseconds % 1000)))"
    signal=$((killed % 4 == 3 ? 15 : 9))
    if kill -"$signal" $child 2> /dev/null; then killed=$((killed + 1)); fi
    wait $child 2> /dev/null || true
    [ $((killed % 100)) != 0 ] || printf '%s kills\n' "$killed" >&2
    # Whatever has a name is a whole file, so it is the true one.
    while read -r sum file; do
        [ ! -f "$work/out/$file" ] || [ "$(sha256sum < "$work/out/$file")" = "$sum  -" ] ||
            { printf 'half a file: %s after kill %s\n' "$file" "$killed" >&2; half=$((half + 1)); }
    done < "$work/sums"
done
for ((writer = 0; writer < writers; writer++)); do (write $writer "$work/out") > /dev/null; done
(cd "$work/out" && find . -type f | sort | xargs -d '\n' sha256sum) > "$work/after"
diff "$work/sums" "$work/after"
printf '%s kills, %s half files, nothing left over, the same bytes afterwards\n' "$killed" "$half"
[ "$half" = 0 ]
