#!/usr/bin/env bash
# Makes benches/peers/venv. DADApy 0.3.4 needs Python 3.9 … 3.12, a C compiler and about 1.5 GB.
set -euo pipefail
cd "$(dirname "$0")"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --requirement requirements.txt
venv/bin/python -c 'import dadapy, faiss, sklearn, skdim; print("peers ready")'
