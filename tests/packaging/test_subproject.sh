#!/usr/bin/env bash
# Builds a small project with Cairn as a part of it: by add_subdirectory, by FetchContent, then with shared libraries, which
# are also installed, moved and found by find_package. One build folder, so that each file is compiled once; of the
# implementations only `reference`.
# usage: tests/packaging/test_subproject.sh REPOSITORY COMPILER GENERATOR
set -euo pipefail
repository=$1 compiler=$2 generator=$3
consumer=$repository/tests/packaging/consumer
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
fail() { printf 'FAILED: %s\n' "$*" >&2 && exit 1; }

# run PROGRAM: what it says has to be right.
run() {
  "$1" >"$top/out" || fail "$1 ended with $?"
  grep -qE '^loss [0-9]+\.[0-9]{3}$' "$top/out" || fail "$1 computes no loss: $(cat "$top/out")"
  grep -q "^unknown implementation 'none': choose one of reference$" "$top/out" || fail "$1 says $(cat "$top/out")"
  [[ $(grep -c '^has reference$' "$top/out") -eq 1 ]] || fail "$1 has not one reference: $(cat "$top/out")"
}

# build FOLDER TARGET CMAKE_FLAGS...
build() {
  local folder=$1 target=$2
  shift 2
  if ! { cmake -S "$consumer" -B "$folder" -G "$generator" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release \
    -DCAIRN_FOLDER="$repository" -DCAIRN_REFERENCE_ONLY=ON "$@" && cmake --build "$folder" --target "$target"; } >"$top/log" 2>&1; then
    cat "$top/log" && fail "$folder $*"
  fi
}

build "$top/part" consumer -DHOW=subdirectory
run "$top/part/programs/consumer"
# The project's own files are compiled as it says, Cairn's with warnings and for their architecture.
grep -E 'consumer/main.cpp|Unity' "$top/part/compile_commands.json" | grep -F 'consumer.dir' >"$top/own" || fail 'no command of its own'
if grep -E -e '-march|-Wall|-Wextra|--param|-O' "$top/own"; then fail 'the project is compiled with flags of Cairn'; fi
[[ $(ctest --test-dir "$top/part" -N | tail -n 1) == 'Total Tests: 0' ]] || fail "Cairn's tests are the project's"

build "$top/part" consumer -DHOW=fetch
run "$top/part/programs/consumer"
grep -q 'Building CXX' "$top/log" && fail 'FetchContent and add_subdirectory compile differently'

build "$top/part" all -DHOW=subdirectory -DBUILD_SHARED_LIBS=ON -DCAIRN_INSTALL=ON
run "$top/part/programs/consumer"
cmake --install "$top/part" --prefix "$top/prefix" >"$top/log" || { cat "$top/log" && fail 'installing shared libraries'; }
mv "$top/prefix" "$top/moved"
build "$top/found" consumer -DHOW=find -DCMAKE_PREFIX_PATH="$top/moved"
run "$top/found/programs/consumer"
