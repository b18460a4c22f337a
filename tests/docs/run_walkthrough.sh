#!/usr/bin/env bash
# Holds a page of the documentation to the truth: runs its commands, compares their output, looks up its quotations.
# usage: tests/docs/run_walkthrough.sh REPOSITORY BUILD PAGE      (PAGE from REPOSITORY: docs/walkthroughs/1-tensor.md)
#
# What stands in a fence of the page (indented code blocks are figures, and ignored):
#   ```sh           Commands, run in order in a scratch folder that looks like the clone (below); each must succeed.
#   ```sh exit 2    The same, and the block must end with this status: for errors that are shown on purpose.
#   ```sh needs gdb The same, where there is such a program. Elsewhere the block and its output are skipped, and counted.
#   ```text         What the sh block before it printed (stdout and stderr), line by line. A line `...` stands for any
#                   lines, also none; a `*` inside a line for any characters: times, addresses.
#   ```cpp FILE     A quotation: stands in FILE of the repository, white space aside. A line `// ...` leaves some out.
#   ```cpp          The same, from any of the files in the folder called as the page (1-tensor/ beside 1-tensor.md).
# Any other language is a quotation, too. Folder and exported variables last from one sh block to the next.
#
# The scratch folder holds links to what the repository holds, build/cpu/bin as a link to the build under test, and a
# `cairn` that runs programs from there and never builds. So a page says `./cairn train ...` and
# `build/cpu/bin/walkthrough_tensor`. A page's commands write nothing into the linked folders, and need no network and
# no data set but `digits`.
set -u
if [[ $# -ne 3 || ! -f $1/$3 ]]; then
  echo "usage: $0 REPOSITORY BUILD PAGE: no page '${3-}' in '${1-}'" >&2
  exit 2
fi
repository=$(cd -- "$1" && pwd) || exit 2
build=$(cd -- "$2" && pwd) || exit 2
page=$3
top=$(mktemp -d) || exit 2
trap 'rm -rf "$top"' EXIT
failures=0 commands=0 quotations=0 skipped=0

report() { # LINE TEXT
  printf '%s:%s: %s\n' "$page" "$1" "$2"
  failures=$((failures + 1))
}
indented() { sed 's/^/    | /' "$1"; }

# ---- the scratch folder ----

mkdir -p "$top/clone/build/cpu" "$top/home" "$top/blocks"
for entry in "$repository"/*; do
  case ${entry##*/} in build* | runs | data | cairn) ;; *) ln -s "$entry" "$top/clone/" ;; esac
done
ln -s "$build/bin" "$top/clone/build/cpu/bin"
cat >"$top/clone/cairn" <<STAND_IN
#!/bin/sh
case \${1-} in
  build) echo "built: $top/clone/build/cpu/bin" ;;
  '' | help | --help | -h | --version) exec "$repository/cairn" "\$@" ;;
  test) echo 'cairn: a page that is under test cannot run the tests' >&2 && exit 2 ;;
  *)
    program="$build/bin/\$1"
    [ -x "\$program" ] || { echo "cairn: \$program was not built" >&2 && exit 2; }
    shift && exec "\$program" "\$@" ;;
esac
STAND_IN
chmod +x "$top/clone/cairn"
printf 'cd %q\n' "$top/clone" >"$top/state"
cat >"$top/preamble" <<PREAMBLE
trap 'status=\$?; { export -p; printf "cd %q\\n" "\$PWD"; } >"$top/state"; exit \$status' EXIT
trap 'echo \$LINENO >>"$top/failed"' ERR
. "$top/state"
set -eE -o pipefail
PREAMBLE

# ---- the three kinds of block ----

# run_block NUMBER LINE STATUS: runs the block, its output to $top/output. In the script the page's line numbers hold.
run_block() {
  local number=$1 line=$2 expected=$3 status script=$top/script
  {
    printf '. %q\n' "$top/preamble"
    for ((i = 1; i < line; ++i)); do echo; done
    cat "$top/blocks/$number"
  } >"$script"
  : >"$top/failed"
  env -i PATH="$PATH" HOME="$top/home" TMPDIR="${TMPDIR:-/tmp}" LC_ALL=C TERM=dumb \
    ${LD_LIBRARY_PATH:+LD_LIBRARY_PATH="$LD_LIBRARY_PATH"} bash "$script" </dev/null >"$top/output" 2>&1
  status=$?
  commands=$((commands + 1))
  [[ $status -eq $expected ]] && return
  read -r line _ <"$top/failed" || line=$2
  report "$line" "ended with status $status, not $expected: $(sed -n "${line}p" "$repository/$page")"
  indented "$top/output"
}

# Prints "LINE TEXT" for the first expected line that the output does not have. LINE: of the first expected one.
compare_output() { # LINE EXPECTED OUTPUT
  awk -v first="$1" '
    function fits(pattern, text,   parts, n, i, at) {
      n = split(pattern, parts, /[*]/)
      if (n < 2) return pattern == text
      if (substr(text, 1, length(parts[1])) != parts[1]) return 0
      text = substr(text, length(parts[1]) + 1)
      for (i = 2; i < n; ++i) {
        if (!(at = index(text, parts[i]))) return 0
        text = substr(text, at + length(parts[i]))
      }
      at = length(text) - length(parts[n]) + 1
      return at > 0 && substr(text, at) == parts[n]
    }
    # How many of the expected lines from .. to - 1 the output has from line `at` on.
    function run(from, to, at,   i) {
      for (i = from; i < to; ++i) if (at + i - from > have || !fits(expected[i], output[at + i - from])) break
      return i - from
    }
    function complain(i, at) {
      print first + i - 1, "expected \"" expected[i] "\", " \
        (at <= have ? "the output has \"" output[at] "\"" : "the output has ended")
      exit 1
    }
    { sub(/[ \t\r]+$/, "") }
    NR == FNR { expected[++want] = $0; next }
    { output[++have] = $0 }
    END {
      have += 0; at = 1; loose = 0
      for (i = 1; i <= want; i = to) {
        if (expected[i] == "...") { loose = 1; to = i + 1; continue }
        for (to = i; to <= want && expected[to] != "..."; ++to);
        size = to - i
        if (loose && to > want && have - size + 1 > at) at = have - size + 1
        best = run(i, to, at); place = at
        for (try = at + 1; loose && to <= want && best < size && try <= have; ++try)
          if ((got = run(i, to, try)) > best) { best = got; place = try }
        if (best < size) complain(i + best, place + best)
        at = place + size; loose = 0
      }
      if (!loose && at <= have) {
        print first + want, "the output goes on with \"" output[at] "\""
        exit 1
      }
    }' "$2" "$3"
}

# Prints "LINE TEXT" for the first line of the quotation that no file continues with.
find_quotation() { # LINE QUOTATION FILE...
  awk -v first="$1" '
    function plain(text) { gsub(/[ \t\r]+/, " ", text); sub(/^ /, "", text); sub(/ $/, "", text); return text }
    FNR == 1 { ++file }
    file == 1 { line[++count] = plain($0); next }
    { $0 = plain($0); if ($0 != "") text[file] = text[file] $0 " " }
    END {
      best = 0
      for (f = 2; f <= file; ++f) {
        rest = " " text[f]; piece = " "
        for (i = 1; i <= count; ++i) {
          if (line[i] == "// ...") {
            rest = substr(rest, index(rest, piece) + length(piece) - 1); piece = " "
            continue
          }
          if (line[i] != "") piece = piece line[i] " "
          if (!index(rest, piece)) break
        }
        if (i > count) exit 0
        if (i > best) best = i
      }
      print first + best - 1, "no such line in the code: " line[best]
      exit 1
    }' "$2" "${@:3}"
}

check_quotation() { # NUMBER LINE FILE
  local found files=()
  quotations=$((quotations + 1))
  if [[ -n $3 ]]; then
    if [[ ! -f $repository/$3 ]]; then report "$2" "there is no file $3" && return; fi
    files=("$repository/$3")
  else
    for file in "$repository/${page%.md}"/*; do [[ -f $file ]] && files+=("$file"); done
    if [[ ${#files[@]} -eq 0 ]]; then
      report "$2" "a quotation needs a file: name one behind the language, or put it into ${page%.md}/" && return
    fi
  fi
  found=$(find_quotation $(($2 + 1)) "$top/blocks/$1" "${files[@]}") || report "${found%% *}" "${found#* }"
}

# ---- the page: block by block ----

# blocks/N holds block N; the index has a line for each: N, the line of its fence, its language, the rest of the fence.
awk -v blocks="$top/blocks" '
  !open && /^```/ {
    open = NR; ++number; file = blocks "/" number; printf "" > file
    sub(/^```[ ]*/, ""); print number, open, ($0 == "" ? "none" : $0); next
  }
  open && /^```[ \t]*$/ { open = 0; close(file); next }
  open { print > file }
  END { if (open) print 0, open, "unclosed" }' "$repository/$page" >"$top/index"

output_of=
skipping=
while read -r number line language rest; do
  case $language in
    sh)
      expected=0
      skipping=
      if [[ $rest =~ ^exit\ [0-9]+$ ]]; then expected=${rest#exit }; fi
      if [[ $rest =~ ^needs\ [a-z0-9_-]+$ ]] && ! command -v "${rest#needs }" >/dev/null; then
        echo "$page:$line: skipped, there is no ${rest#needs } here"
        skipped=$((skipped + 1)) skipping=yes
        continue
      fi
      run_block "$number" "$line" "$expected"
      output_of=$line ;;
    text)
      if [[ -n $skipping ]]; then
        skipping=
      elif [[ -z $output_of ]]; then
        report "$line" 'expected output without a block of commands before it (indent figures by four spaces)'
      elif ! found=$(compare_output $((line + 1)) "$top/blocks/$number" "$top/output"); then
        report "${found%% *}" "${found#* } (commands in line $output_of)"
        indented "$top/output"
      fi
      output_of= ;;
    unclosed) report "$line" 'the fence is not closed' ;;
    none) report "$line" 'a fence needs a language: sh, text or that of a quotation' ;;
    *) check_quotation "$number" "$line" "$rest" ;;
  esac
done <"$top/index"
[[ $((commands + quotations)) -gt 0 ]] || report 1 'the page has no commands and no quotations'

echo "$page: $commands blocks of commands, $quotations quotations, $failures failures$([[ $skipped -eq 0 ]] || echo ", $skipped skipped")"
[[ $failures -eq 0 ]]
