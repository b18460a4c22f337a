#!/usr/bin/env bash
# scripts/check_tls: says nothing of this build, and finds what it is there to find.
# usage: tests/linking/test_check_tls.sh REPOSITORY BUILD COMPILER
set -euo pipefail
repository=$1 build=$2 compiler=$3
check=$repository/scripts/check_tls
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
fail() { printf 'FAILED: %s\n' "$*" >&2 && exit 1; }

"$check" "$build" || fail "this build has the faults above"

# What g++ 12 makes of a thread-local variable where it is short of registers, by lea; mov and add are the two good forms.
# The lea is written as its bytes and their relocation: newer assemblers refuse it, as linkers do.
cat >"$top/good.s" <<'ASSEMBLY'
  .text
good:
  movq variable@gottpoff(%rip), %rax
  addq variable@gottpoff(%rip), %r10
  ret
  .section .tbss,"awT",@nobits
variable:
  .zero 4
ASSEMBLY
sed 's/good/bad/; s/movq variable.*/.byte 0x48, 0x8d, 0x05\n  .reloc ., R_X86_64_GOTTPOFF, variable-4\n  .long 0/' \
  "$top/good.s" >"$top/bad.s"
mkdir "$top/good" "$top/bad"
"$compiler" -c "$top/good.s" -o "$top/good/good.o"
"$compiler" -c "$top/bad.s" -o "$top/bad/bad.o"
"$check" "$top/good" >/dev/null || fail "mov and add are called faults"
"$check" "$top/good" "$top/bad" >"$top/out" && fail "lea is called good"
grep -q 'bad.o: loads the offset of .*variable.* by "lea .*" in <bad>' "$top/out" || { cat "$top/out" && fail "the text"; }

printf 'thread_local char big[%d] = {1};\nchar* address() { return big; }\n' 4000 >"$top/big.cpp"
"$compiler" -fPIC -c "$top/big.cpp" -o "$top/good/big.o"
"$compiler" -shared "$top/good/big.o" -o "$top/good/big.so"
"$check" "$top/good" >"$top/out" && fail "4000 bytes of static storage are called good"
grep -q 'big.so: 4000 bytes of static thread-local storage, more than 1024' "$top/out" || { cat "$top/out" && fail "the text"; }

"$check" "$top/nothing" 2>"$top/out" && fail "a folder that is not there"
grep -q 'there is no folder' "$top/out" || fail "the text for no folder"
echo "check_tls finds what it is there to find"
