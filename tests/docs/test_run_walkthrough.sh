#!/usr/bin/env bash
# Tests of run_walkthrough.sh: what it takes, and that each kind of untruth is reported with file and line. Each test is
# a page in a small repository with a small build.
# usage: tests/docs/test_run_walkthrough.sh REPOSITORY
# shellcheck disable=SC2016  # the pages' texts expand where they run
set -u
runner=$1/tests/docs/run_walkthrough.sh
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
failures=0 checks=0

repository="$top/a repository"
mkdir -p "$repository"/{docs/page,framework,build/bin}
printf 'int one() {\n  return 1;\n}\n\nint two() {\n  int value = one();\n  return value + 1;\n}\n' \
  >"$repository/docs/page/program.cpp"
printf '#pragma once\nstruct Tensor {};\n' >"$repository/framework/tensor.h"
printf '#!/bin/sh\necho "trained with $*"\necho "in 12.5 s"\n' >"$repository/build/bin/train"
printf '#!/bin/sh\nprintf "%%s\\n" "$@"\n' >"$repository/build/bin/lines"
chmod +x "$repository"/build/bin/*

# page: the text on stdin with ~~~ for a fence; its report goes to $top/report, its status to $status.
page() {
  sed 's/^~~~/```/' >"$repository/docs/page.md"
  bash "$runner" "$repository" "$repository/build" docs/page.md >"$top/report" 2>&1
  status=$?
}
expect() { # NAME STATUS TEXT...: the last page ended so, and each text is a line of its report
  local name=$1 wanted=$2 text
  shift 2
  for text in "docs/page.md: " "$@"; do
    checks=$((checks + 1))
    [[ $status -eq $wanted ]] && grep -qF -- "$text" "$top/report" && continue
    failures=$((failures + 1))
    echo "FAILED: $name: status $status, not $wanted, or not reported: $text"
    sed 's/^/    /' "$top/report"
  done
}
reports() { # NAME TEXT...: exactly these
  expect "$1" 1 "${@:2}" " $(($# - 1)) failures"
}

page <<'PAGE'
Text, and a figure, which nobody runs:

    false

~~~sh
export NAME=value   # lasts
mkdir inner && cd inner
~~~

~~~sh
echo "$NAME ${PWD##*/}"
cd ..
./cairn train --model dnn
build/cpu/bin/lines 1 2 3 4 5 'odd * line'
~~~
~~~text
value inner
trained with --model dnn
in * s
1
...
4
5
odd * line
~~~

~~~sh exit 3
echo wrong >&2
(exit 3)
~~~
~~~text
wrong
~~~

~~~cpp
int one() { return 1; }
// ...
  return value + 1;
~~~
~~~cpp framework/tensor.h
struct Tensor {};
~~~
~~~sh
ls framework
grep -c struct framework/tensor.h
~~~
PAGE
expect 'a true page' 0 '4 blocks of commands, 2 quotations, 0 failures'

page <<'PAGE'
~~~sh
build/cpu/bin/lines 1 2 3
~~~

~~~text
1
two
3
~~~
PAGE
reports 'a wrong line' 'docs/page.md:7: expected "two", the output has "2" (commands in line 1)'

page <<'PAGE'
~~~sh
build/cpu/bin/lines 1 2 3
~~~
~~~text
1
2
~~~
~~~sh
build/cpu/bin/lines 1 2
~~~
~~~text
1
2
3
~~~
~~~sh
build/cpu/bin/lines 1 2 3 4 5
~~~
~~~text
...
3
5
...
~~~
~~~sh
build/cpu/bin/lines 'took 3 ms' 2
~~~
~~~text
took * s
...
~~~
~~~sh
build/cpu/bin/lines 1 2 3
~~~
~~~text
1
...
4
~~~
PAGE
reports 'wrong output of other kinds' \
  'docs/page.md:7: the output goes on with "3" (commands in line 1)' \
  'docs/page.md:14: expected "3", the output has ended (commands in line 8)' \
  'docs/page.md:22: expected "5", the output has "4" (commands in line 16)' \
  'docs/page.md:29: expected "took * s", the output has "took 3 ms" (commands in line 25)' \
  'docs/page.md:38: expected "4", the output has "3" (commands in line 32)'

page <<'PAGE'
~~~cpp
int two() {
  int value = three();
~~~
~~~cpp framework/tensor.h

struct Matrix {};
~~~
~~~cpp framework/none.h
struct Tensor {};
~~~
~~~cpp
  return value + 1;
// ...
int one() {
~~~
PAGE
reports 'quotations that are not in the code' \
  'docs/page.md:3: no such line in the code: int value = three();' \
  'docs/page.md:7: no such line in the code: struct Matrix {};' \
  'docs/page.md:9: there is no file framework/none.h' \
  'docs/page.md:15: no such line in the code: int one() {'

page <<'PAGE'
~~~sh
echo before
ls nowhere
echo after
~~~
~~~sh
./cairn test
~~~
~~~sh exit 2
true
~~~
~~~sh
build/cpu/bin/lines 1 | grep 2 | cat
~~~
PAGE
reports 'commands that fail' \
  'docs/page.md:3: ended with status 2, not 0: ls nowhere' \
  'docs/page.md:7: ended with status 2, not 0: ./cairn test' \
  'docs/page.md:9: ended with status 0, not 2' \
  'docs/page.md:13: ended with status 1, not 0: build/cpu/bin/lines 1 | grep 2 | cat'

page <<'PAGE'
~~~text
out of nowhere
~~~
~~~
no language
~~~
~~~sh
PAGE
reports 'fences that say nothing' 'docs/page.md:1: expected output without a block of commands' \
  'docs/page.md:4: a fence needs a language' 'docs/page.md:7: the fence is not closed'

page <<'PAGE'
~~~sh needs no-such-program
no-such-program
~~~
~~~text
its output
~~~
~~~sh needs bash
build/cpu/bin/lines 1
~~~
~~~text
1
~~~
PAGE
expect 'a program that is not there' 0 'docs/page.md:1: skipped, there is no no-such-program here' \
  '1 blocks of commands, 0 quotations, 0 failures, 1 skipped'

page <<'PAGE'
~~~sh needs bash
build/cpu/bin/lines 1
~~~
~~~text
2
~~~
PAGE
reports 'a program that is there is held to its output' 'docs/page.md:5: expected "2"'

page <<<'Only words.'
reports 'a page without anything to hold' 'docs/page.md:1: the page has no commands and no quotations'

echo "$checks checks, $failures failures"
[[ $failures -eq 0 ]]
