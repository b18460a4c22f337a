#!/usr/bin/env bash
# A shared library that holds Cairn loads at run time: into a program that knows nothing of it, and into Python.
# usage: tests/linking/test_loading.sh LOADER LIBRARY
set -euo pipefail
loader=$1 library=$2
"$loader" "$library" reference simd vanilla
if ! command -v python3 >/dev/null; then echo "no python3: its ctypes was not tried" && exit 0; fi
python3 - "$library" <<'PYTHON'
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
library.cairn_train.restype = ctypes.c_double
losses = [library.cairn_train(name, threads) for name in (b"simd", b"vanilla") for threads in (1, 2)]
print("Python:", *("%.6f" % loss for loss in losses))
sys.exit(not (all(loss > 0 for loss in losses) and losses[0] == losses[1] and losses[2] == losses[3]))
PYTHON
