#!/usr/bin/env bash
# Builds repgeo for aarch64, compares its reports with those of PROGRAM, and runs its tests in an
# emulator: tests/emulated/aarch64/run.sh [PROGRAM [TEST]...]. README.md beside this file says what it needs.
set -euo pipefail
cd "$(dirname "$0")/../../.."
program=${1:-}
shift || true

target=aarch64-unknown-linux-gnu
emulator=(qemu-aarch64 -L /usr/aarch64-linux-gnu)
export CARGO_BUILD_TARGET=$target
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export RUSTFLAGS='-D warnings'
for tool in cargo aarch64-linux-gnu-gcc "${emulator[0]}"; do
    command -v "$tool" > /dev/null || { printf 'missing: %s\n' "$tool" >&2; exit 1; }
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cargo test --locked --no-run 2>&1 | tee "$scratch/build"
sed -n 's/^ *Executable \(.*\) (\(.*\))$/\2 \1/p' "$scratch/build" > "$scratch/tests"
[ -s "$scratch/tests" ] || { printf 'cargo built no tests\n' >&2; exit 1; }

# Tests start the program themselves, and the kernel cannot run it: a script stands in its place.
# A build that changes the program puts it back.
built=$(realpath "${CARGO_TARGET_DIR:-target}")/$target/debug/repgeo
if head -c 4 "$built" | grep -q ELF; then mv -f "$built" "$built.elf"; fi
printf '#!/bin/sh\nexec %s "%s" "$@"\n' "${emulator[*]}" "$built.elf" > "$built"
chmod +x "$built"

failed=0
if [ -n "$program" ]; then
    data=fixtures/minilm
    labels="$data/labels.csv:class"
    while read -r arguments; do
        read -ra words <<< "$arguments --format json"
        "$program" "${words[@]}" > "$scratch/there" 2> /dev/null
        "$built" "${words[@]}" > "$scratch/here" 2> /dev/null
        if cmp -s "$scratch/there" "$scratch/here"; then
            printf 'same bytes: %s\n' "$arguments"
        else
            printf 'DIFFERENT: %s\n' "$arguments"
            diff "$scratch/there" "$scratch/here" | head -n 6 || true
            failed=1
        fi
    done << END
id-profile $data
imbalance $data
overlap $data --labels $labels
density-peaks $data --labels $labels
landscape $data --layers 3 --labels $labels
similarity $data
END
fi

while read -r executable name; do
    printf '\n== %s\n' "$name"
    "${emulator[@]}" "$executable" "$@" || failed=1
done < "$scratch/tests"
exit "$failed"
