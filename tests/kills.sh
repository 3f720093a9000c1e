#!/usr/bin/env bash
# Kills runs at random moments, over all writers: no half file, nothing left after the next run, and
# the bytes of an undisturbed run. Usage: REPGEO=target/release/repgeo tests/kills.sh [KILLS]
set -euo pipefail
cd "$(dirname "$0")/.."
repgeo=$(realpath "${REPGEO:-target/release/repgeo}")
kills=${1:-1000}
acts=fixtures/minilm
model=fixtures/mechanisms/gpt2_tiny
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The writers, by number; $2 is the folder they write into.
write() {
    case $1 in
        0) "$repgeo" neighbours $acts -k 200 -o "$2/tables" -q ;;
        1) "$repgeo" id-profile $acts --cache "$2/cache" --range-max 128 -o "$2/id.json" -q ;;
        2) "$repgeo" density-peaks $acts --assignments "$2/rows" -o "$2/peaks.csv" -q ;;
        3) "$repgeo" forward $model --tokens $model/prompts.safetensors --dump resid-post,z,k,v,logits \
               --positions all --precision f64 -o "$2/streams.safetensors" -q ;;
        4) "$repgeo" imbalance $acts --to next --cache "$2/cache" -o "$2/imbalance.json" -q ;;
    esac
}

mkdir "$work/true" "$work/out"
for writer in 0 1 2 3 4; do write $writer "$work/true" >/dev/null; done
(cd "$work/true" && find . -type f | sort | xargs sha256sum) > "$work/sums"

half=0
for ((kill = 0; kill < kills; kill++)); do
    write $((kill % 5)) "$work/out" >/dev/null 2>&1 &
    sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
    signal=$((kill % 4 == 3 ? 15 : 9))
    # The function runs in a shell of its own; its child is what is killed.
    pkill -"$signal" -P $! 2>/dev/null || true
    wait $! 2>/dev/null || true
    # Whatever has a name is a whole file, so it is the true one.
    while read -r sum file; do
        [ ! -f "$work/out/$file" ] || [ "$(sha256sum < "$work/out/$file")" = "$sum  -" ] ||
            { printf 'half a file: %s after kill %s\n' "$file" "$kill" >&2; half=$((half + 1)); }
    done < "$work/sums"
done
for writer in 0 1 2 3 4; do write $writer "$work/out" >/dev/null; done
(cd "$work/out" && find . -type f | sort | xargs sha256sum) > "$work/after"
diff "$work/sums" "$work/after"
printf '%s kills, %s half files, nothing left over, the same bytes afterwards\n' "$kills" "$half"
[ "$half" = 0 ]
