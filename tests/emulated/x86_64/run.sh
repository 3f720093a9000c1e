#!/usr/bin/env bash
# Compares the reports of this processor with those of emulated ones, byte by byte:
# tests/emulated/x86_64/run.sh [PROGRAM [CPU]...]. README.md beside this file says what it needs.
set -euo pipefail
cd "$(dirname "$0")/../../.."
program=$(realpath "${1:-target/release/repgeo}")
shift || true
# Nehalem has neither AVX nor FMA, Haswell has both and no AVX-512.
processors=("${@:-Nehalem}")
[ $# -gt 0 ] || processors=(Nehalem Haswell)
command -v qemu-x86_64 > /dev/null || { printf 'missing: qemu-x86_64 (Debian: qemu-user)\n' >&2; exit 1; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
model=fixtures/mechanisms/gpt2_tiny
failed=0
while read -r arguments; do
    read -ra words <<< "$arguments"
    # What a command writes beside its report is compared too.
    here=$scratch/here
    rm -rf "$here" && mkdir "$here"
    "$program" "${words[@]//OUT/$here}" -q --threads 2 > "$here/stdout" 2> "$scratch/stderr" ||
        { cat "$scratch/stderr" >&2; exit 1; }
    for processor in "${processors[@]}"; do
        there=$scratch/there
        rm -rf "$there" && mkdir "$there"
        qemu-x86_64 -cpu "$processor" "$program" "${words[@]//OUT/$there}" -q --threads 2 \
            > "$there/stdout" 2> "$scratch/stderr" || { cat "$scratch/stderr" >&2; failed=1; continue; }
        # A report may name the file that it was written beside.
        sed -i "s|$there|$here|g" "$there/stdout"
        if diff -rq "$here" "$there" > "$scratch/differences"; then
            printf 'same bytes on %s: %s\n' "$processor" "$arguments"
        else
            printf 'DIFFERENT on %s: %s\n' "$processor" "$arguments"
            diff "$here/stdout" "$there/stdout" | head -n 4 || true
            failed=1
        fi
    done
done << END
id-profile fixtures/golden/2gauss.npy --format json
id-profile fixtures/reference/vae_d08 --estimator two-nn,gride,mle,mom,tle,corr-int,mada,mind-ml,binomial,abide --format json
id-profile fixtures/reference/vae_d08 --estimator ess,lpca,participation-ratio --format json
id-profile fixtures/reference/vae_d08 --control null --format json
imbalance fixtures/minilm --to next --format json
overlap fixtures/minilm --to next --labels fixtures/minilm/labels.csv:class --format json
density-peaks fixtures/minilm --format json
landscape fixtures/minilm --layers 3 --format json
similarity fixtures/reference/relations --measure all --format json
clones fixtures/clones/test_hidden.npy --sizes 4,8 --format json
events fixtures/events/resnet152.csv --column id --format json
forward $model --tokens $model/prompts.safetensors --dump resid-post,z,k,v,logits --positions all -o OUT/streams.safetensors --format json
END
[ "$failed" = 0 ] || { printf 'some reports depend on the processor\n' >&2; exit 1; }
