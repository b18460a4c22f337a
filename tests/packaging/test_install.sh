#!/usr/bin/env bash
# Installs a build into an empty prefix and builds each example against that alone, as a user's project does.
# usage: tests/packaging/test_install.sh REPOSITORY BUILD COMPILER GENERATOR
set -euo pipefail
repository=$1 build=$2 compiler=$3 generator=$4
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
fail() { printf 'FAILED: %s\n' "$*" >&2 && exit 1; }

cmake --install "$build" --prefix "$top/prefix" --strip >"$top/log" || { cat "$top/log" && fail "cmake --install"; }
for text in "$repository" "$build" -march= -fsanitize; do
  if grep -rn -e "$text" "$top/prefix/lib"*/cmake; then fail "the installed package mentions $text"; fi
done
mv "$top/prefix" "$top/moved" # a package must not know where it was first put

cd "$top"
for program in "$top"/moved/bin/*; do
  "$program" --help >/dev/null || fail "$program --help"
done
"$top/moved/bin/train" --model linear --dataset digits --impl simd --epochs 1 --quiet --out run >/dev/null || fail "installed train"

for example in "$repository"/examples/*/; do
  name=$(basename "$example")
  if ! { cmake -S "$example" -B "$name" -G "$generator" -DCMAKE_PREFIX_PATH="$top/moved" -DCMAKE_CXX_COMPILER="$compiler" \
    -DCMAKE_BUILD_TYPE=Release && cmake --build "$name"; } >log 2>&1; then cat log && fail "building $name"; fi
  "$name/$name" >out || fail "$name ended with $?"
  cat out
done
right=$(grep -cE '^a ([0-9]): the network says \1$' out) || true
[[ $right -ge 8 ]] || fail "the example's network knows $right of 10 digits"
