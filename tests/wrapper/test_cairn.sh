#!/usr/bin/env bash
# Tests of ./cairn: what it installs, builds and starts, and what it says when it cannot. Each test gets a project of
# one app in a folder with spaces, and stand-ins for apt-get, dpkg-query, sudo, id, cmake, ctest, nvcc and nvidia-smi that write
# down each call in $fake_calls. Not here: the real packages and the real build.
# usage: tests/wrapper/test_cairn.sh REPOSITORY
# shellcheck disable=SC2016  # the stand-ins' texts expand where they run
set -u
repository=$1
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
failures=0
checks=0

mkdir "$top/tools"
for tool in awk bash cat chmod cp cut dirname env find flock grep head ls mkdir mktemp mv nproc readlink rm sed sh \
  sleep tail timeout touch tr true; do
  ln -s "$(type -P "$tool")" "$top/tools/$tool"
done

stand_in() { # NAME, its text on stdin
  { printf '#!/bin/bash\necho "%s $*" >>"$fake_calls"\n' "$1" && cat; } >"$fake/$1"
  chmod +x "$fake/$1"
}

set_up() { # a fresh project and PATH; every package installed, user is root, no nvcc, no GPU
  rm -rf "$top/a project" "$top/fake"
  project="$top/a project"
  fake="$top/fake"
  export fake_calls="$top/calls" fake_installed="$top/installed"
  mkdir -p "$project"/{apps,cmake,kernels,tests,scripts} "$fake"
  cp "$repository/cairn" "$project"
  cp "$repository"/scripts/{build,install_packages,packages.txt} "$project/scripts"
  echo 'project(cairn VERSION 7.8.9 LANGUAGES CXX)' >"$project/CMakeLists.txt"
  touch "$project"/{CMakePresets.json,{apps,kernels,tests}/CMakeLists.txt}
  printf '// train: trains a network. More.\nint main() {}\n' >"$project/apps/train.cpp"
  echo '// What apps share.' >"$project/apps/app.cpp"
  awk '/^[^#]/ {print $1}' "$repository/scripts/packages.txt" >"$fake_installed"
  stand_in dpkg-query <<<'while read -r package; do echo "$package installed"; done <"$fake_installed"'
  # Fails until `apt-get update` has run when $lists_empty is set, as with empty lists.
  stand_in apt-get <<'STAND_IN'
[[ $1 == update ]] && : >"$fake_calls.updated" && exit 0
[[ -n ${lists_empty-} && ! -e $fake_calls.updated ]] && echo "E: Unable to locate package" && exit 100
[[ -n ${apt_broken-} ]] && echo "E: no route to the mirror" && exit 100
for word; do echo "$word"; done >>"$fake_installed"
STAND_IN
  stand_in sudo <<<'[[ -n ${sudo_asks-} ]] && exit 1; [[ $1 == -n ]] && shift; exec "$@"'
  stand_in id <<<'echo "${user_id:-0}"'
  stand_in c++ <<<''
  stand_in ninja <<<''
  # Configuring writes a cache, building writes an app that shows its arguments and its folder.
  stand_in cmake <<'STAND_IN'
if [[ $1 == --preset ]]; then
  [[ -n ${cmake_broken-} ]] && echo 'CMake Error: Eigen3 was not found' && exit 1
  [[ $2 == cuda && -n ${cuda_broken-} ]] && echo 'CAIRN_CUDA=ON, but CUDA 11.8 is older than 12.4' && exit 1
  mkdir -p "build/$2" && cd "build/$2" || exit 1
  printf 'CMAKE_HOME_DIRECTORY:INTERNAL=%s\nCMAKE_GENERATOR:INTERNAL=Ninja\n' "$(cd ../.. && pwd)" >CMakeCache.txt
  printf 'CMAKE_CXX_COMPILER:FILEPATH=/bin/sh\n' >>CMakeCache.txt
  touch build.ninja
elif [[ $1 == --build ]]; then
  if [[ -n ${slow_build-} ]]; then
    [[ -e $fake_calls.building ]] && echo overlap >>"$fake_calls"
    touch "$fake_calls.building" && sleep 0.5 && rm "$fake_calls.building"
  fi
  [[ -n ${build_broken-} ]] && printf '[1/2] Building\nthere is an error in line 3\n' && exit 1
  # Later than the stamp by more than a tick of the clock that file times are taken from.
  [[ -n ${edit_during_build-} ]] && sleep 0.02 && touch "$edit_during_build"
  mkdir -p "$2/bin"
  printf '#!/bin/sh\nprintf "<%%s>" "$@"\npwd\nexit "${app_exit:-0}"\n' >"$2/bin/train"
  chmod +x "$2/bin/train"
fi
STAND_IN
  stand_in ctest <<<'echo "100% tests passed"; exit "${ctest_exit:-0}"'
  rm -f "$fake_calls" "$fake_calls.updated"
  touch "$fake_calls"
  gpu_signs="$top/nvidia[0-9]*"
  rm -f "$top"/nvidia*
}

# A GPU, as its driver shows it, and the driver's program, which lists no GPU when $gpu_broken is set.
set_up_gpu() {
  touch "$top/nvidia0"
  stand_in nvidia-smi <<<'[[ -n ${gpu_broken-} ]] && echo "No devices were found" && exit 6; echo "GPU 0: a GPU"'
}

# Runs ./cairn with settings and arguments: call [NAME=VALUE]... -- ARGUMENTS. Leaves $status, $out, $err, $new_calls.
call() {
  local settings=()
  while [[ $1 != -- ]]; do settings+=("$1") && shift; done
  shift
  : >"$fake_calls"
  out=$(env -u CAIRN_PRESET -u CXX -u CUDA_PATH -u CUDA_HOME -u CUDAToolkit_ROOT -u CMAKE_BUILD_PARALLEL_LEVEL \
    CAIRN_CUDA_ROOTS='' CAIRN_GPU_SIGNS="$gpu_signs" PATH="$fake:$top/tools" "${settings[@]}" \
    "${cairn:-$project/cairn}" "$@" 2>"${error_to:-$top/err}" </dev/null)
  status=$?
  err=$(<"$top/err")
  new_calls=$(<"$fake_calls")
}

check() { # WHAT, then a test command
  checks=$((checks + 1))
  local what=$1
  shift
  "$@" && return
  failures=$((failures + 1))
  printf 'FAILED: %s: %s\n  status %s\n  out: %s\n  err: %s\n  calls: %s\n' \
    "$name" "$what" "$status" "$out" "$err" "$new_calls"
}
has() { [[ $1 == *"$2"* ]]; }
lacks() { [[ $1 != *"$2"* ]]; }
same() { [[ $1 == "$2" ]]; }

remove_package() { sed -i "/^$1\$/d" "$fake_installed"; }

name='first call, everything installed'
set_up
call -- train --model dnn 'two words'
check 'exit' same "$status" 0
check 'the app sees its arguments and the caller'\''s folder' same "$out" "<--model><dnn><two words>$PWD"
check 'the preset without nvcc' has "$new_calls" 'cmake --preset cpu'
check 'only the app is built' has "$new_calls" '--target train'
check 'nothing installed' lacks "$new_calls" 'apt-get'

if [[ -w /dev/full ]]; then
  name='messages that cannot be written'
  set_up
  : >"$top/err"
  remove_package libfmt-dev
  error_to=/dev/full call -- train
  check 'exit' same "$status" 0
  check 'the app runs' has "$out" "$PWD"
fi

name='second call'
call -- train
check 'exit' same "$status" 0
check 'no program but the app is started' same "$new_calls" ''
check 'nothing is said' same "$err" ''

name='exit status of the app'
call app_exit=130 -- train
check 'exit' same "$status" 130

name='edited, added and removed sources'
touch -d '+2 seconds' "$project/kernels/CMakeLists.txt"
call -- train
check 'an edit builds' has "$new_calls" '--target train'
check 'an edit does not configure' lacks "$new_calls" '--preset'
touch -d '2020-01-01' "$project/kernels/CMakeLists.txt"
call -- train
check 'built once' same "$new_calls" ''
sleep 0.02
touch "$project/kernels/new.cpp" && touch -d '2020-01-01' "$project/kernels/new.cpp"
call -- train
check 'an added old file builds' has "$new_calls" '--target train'
touch -d '+2 seconds' "$project/kernels/new.cpp"
call edit_during_build="$project/kernels/new.cpp" -- train
check 'an edit during the build' has "$new_calls" '--target train'
call -- train
check 'is seen by the next call' has "$new_calls" '--target train'
sleep 0.02
touch "$project/tests/new.cpp"
call -- train
check 'tests do not count for an app' same "$new_calls" ''
touch "$project/CMakePresets.json"
call -- train
check 'edited presets configure' has "$new_calls" 'cmake --preset cpu'
rm "$project/build/cpu/bin/train"
call -- train
check 'a program that is gone is built' has "$new_calls" '--target train'

name='from elsewhere'
mkdir -p "$top/else where"
cd "$top/else where" || exit 1
call -- train here
check 'folder kept' same "$out" "<here>$top/else where"
ln -sf "$project/cairn" "$top/else where/link"
cairn=./link call -- train
check 'through a link' same "$out" "<>$top/else where"
check 'nothing built anew' same "$new_calls" ''
cd "$repository" || exit 1

name='a moved repository'
mv "$project" "$top/moved"
cairn=$top/moved/cairn call -- train
check 'exit' same "$status" 0
check 'said' has "$err" "afresh: it was made for the folder $project"
check 'configured' has "$new_calls" '--preset cpu --fresh'
check 'old results dropped' has "$new_calls" '--target clean'
rm -rf "$top/moved"

name='another compiler'
set_up
call -- train
call CXX=/bin/sh -- train
check 'said' has "$err" 'starting build/cpu afresh'
check 'configured' has "$new_calls" '--preset cpu --fresh'
check 'a processor is told by what it can do' has "$(<"$project/build/cpu/.cairn/key")" \
  "$(grep -m 1 -E '^(flags|Features)' /proc/cpuinfo)"

name='missing packages, root'
set_up
remove_package libfmt-dev
remove_package ninja-build
call lists_empty=1 -- train
check 'exit' same "$status" 0
check 'named first' has "$err" 'missing Debian packages: ninja-build libfmt-dev'
check 'lists fetched' has "$new_calls" 'apt-get update'
check 'installed' has "$new_calls" 'ninja-build libfmt-dev'
check 'without sudo' lacks "$new_calls" 'sudo'
check 'the app runs' has "$out" "$PWD"

name='missing packages, sudo'
set_up
remove_package libssl-dev
call user_id=1000 -- train
check 'exit' same "$status" 0
check 'by sudo without a password' has "$new_calls" 'sudo -n env DEBIAN_FRONTEND=noninteractive apt-get install'

name='missing packages, sudo asks for a password'
set_up
remove_package libssl-dev
remove_package cmake
call user_id=1000 sudo_asks=1 -- train
check 'exit' same "$status" 2
check 'one command' has "$err" \
  "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends cmake libssl-dev'"
check 'nothing installed' lacks "$new_calls" 'apt-get install'
check 'nothing configured' lacks "$new_calls" 'cmake --preset'
check 'nothing on stdout' same "$out" ''

name='missing packages, neither root nor sudo'
rm "$fake/sudo"
call user_id=1000 -- train
check 'exit' same "$status" 2
check 'one command' has "$err" "su -c 'apt-get update && apt-get install -y --no-install-recommends cmake libssl-dev'"

name='packages cannot be installed'
call apt_broken=1 -- train
check 'exit' same "$status" 2
check 'reason' has "$err" 'E: no route to the mirror'
check 'log' has "$err" "$project/build/packages.log"

name='no apt-get'
set_up
rm "$fake/apt-get" "$fake/ninja"
call -- train
check 'exit' same "$status" 2
check 'tool named' has "$err" 'ninja was not found'
check 'packages named' has "$err" 'libeigen3-dev'
stand_in ninja <<<''
call -- train
check 'with the tools there it goes on' same "$status" 0

name='broken configuration'
set_up
call cmake_broken=1 -- train
check 'exit' same "$status" 2
check 'reason' has "$err" 'CMake Error: Eigen3 was not found'
check 'log' has "$err" "$project/build/cpu/cairn.log"

name='broken build'
set_up
call build_broken=1 -- train
check 'exit' same "$status" 2
check 'reason' has "$err" 'there is an error in line 3'
check 'log' has "$err" "$project/build/cpu/cairn.log"
check 'nothing on stdout' same "$out" ''
call -- train
check 'tried again' has "$new_calls" '--target train'

name='a GPU and nvcc'
set_up
set_up_gpu
stand_in nvcc <<<''
call -- train
check 'the preset for GPUs' has "$new_calls" 'cmake --preset cuda'
check 'the GPU is asked after once' has "$new_calls" 'nvidia-smi -L'
check 'nothing to explain' lacks "$err" 'GPU'
call -- train
check 'no program but the app is started' same "$new_calls" ''
call CAIRN_PRESET=cpu -- train
check 'the preset asked for' has "$new_calls" 'cmake --preset cpu'

name='nvcc without a GPU'
set_up
stand_in nvcc <<<''
call -- train
check 'exit' same "$status" 0
check 'only the CPU form is built' has "$new_calls" 'cmake --preset cpu'
check 'said, and how to have both' has "$err" \
  'cairn: nvcc is here, but no GPU: building for the CPU only (CAIRN_PRESET=cuda builds for GPUs too)'
touch -d '+2 seconds' "$project/kernels/CMakeLists.txt"
call -- train
check 'said once' lacks "$err" 'GPU'
call CAIRN_PRESET=cuda -- train
check 'built on request' has "$new_calls" 'cmake --preset cuda'
check 'without asking the driver' lacks "$new_calls" 'nvidia-smi'
set_up_gpu
call -- train
check 'a GPU that comes later counts' same "$out" "<>$PWD"
check 'and finds what was built for it' lacks "$new_calls" 'cmake --preset cpu'

name='a GPU without nvcc'
set_up
set_up_gpu
call -- train
check 'the CPU form' has "$new_calls" 'cmake --preset cpu'
check 'said' has "$err" 'cairn: a GPU is here, but no nvcc: building for the CPU only'
check 'said in one line' same "$(grep -c GPU <<<"$err")" 1

name='a GPU that the driver does not list'
set_up
set_up_gpu
stand_in nvcc <<<''
call gpu_broken=1 -- train
check 'exit' same "$status" 0
check 'reason' has "$err" 'nvidia-smi -L lists no GPU'
check 'goes on without' has "$new_calls" 'cmake --preset cpu'
check 'nothing configured for it' lacks "$new_calls" 'cmake --preset cuda'
call gpu_broken=1 -- train
check 'remembered' same "$new_calls" ''
call -- build
check 'tried again on request' has "$new_calls" 'cmake --preset cuda'

name='CUDA that cannot be used'
set_up
set_up_gpu
stand_in nvcc <<<''
call cuda_broken=1 -- train
check 'exit' same "$status" 0
check 'reason' has "$err" 'CUDA 11.8 is older than 12.4'
check 'goes on without' has "$err" 'building for the CPU only'
call cuda_broken=1 -- train
check 'remembered' same "$new_calls" ''
call -- build
check 'tried again on request' has "$new_calls" 'cmake --preset cuda'
set_up
set_up_gpu
stand_in nvcc <<<''
call cuda_broken=1 CAIRN_PRESET=cuda -- train
check 'asked for and unusable stops' same "$status" 2

name='two calls at once'
set_up
export slow_build=1
call -- train &
first=$!
call -- train
wait "$first"
unset slow_build
check 'exit' same "$status" 0
check 'one build at a time' lacks "$(<"$fake_calls")" 'overlap'

name='usage'
set_up
call -- forecast
check 'exit' same "$status" 2
check 'apps listed' has "$err" "there is no app 'forecast'; apps: train (and"
call -- app
check 'what apps share is no app' same "$status" 2
call -- ../train
check 'not a path' same "$status" 2
call --
check 'no app' same "$status" 2
call -- help
check 'help lists the apps' has "$out" $'\n  train: trains a network\n'
check 'help succeeds' same "$status" 0
call -- --version
check 'version' same "$out" 'cairn 7.8.9'
call CAIRN_PRESET=../x -- train
check 'preset is a name' same "$status" 2
call -- build train
check 'build takes nothing' same "$status" 2
check 'none of these builds' same "$new_calls" ''

name='test'
call -- test -R gemm
check 'exit' same "$status" 0
check 'everything is built' has "$new_calls" '--target all'
check 'flags of ctest' has "$new_calls" '-R gemm'
check 'summary' has "$out" '100% tests passed'
call ctest_exit=8 -- test
check 'failed tests exit 1' same "$status" 1
sleep 0.02
touch "$project/tests/other.cpp"
call -- test
check 'tests count' has "$new_calls" '--target all'

name='packages'
out=$(grep -rhoE --include='*.cmake' --include=CMakeLists.txt '\b[a-z0-9+-]+-dev\b' \
  "$repository"/{CMakeLists.txt,cmake,kernels,framework,datasets,models,trainers,apps,tests} | sort -u)
err=$(awk '/^[^#]/ && $1 ~ /-dev$/ {print $1}' "$repository/scripts/packages.txt" | sort)
# libtorch-dev is for a plugin that is built where it is found: nothing installs it.
check 'the list installed and the packages named by CMake are the same' same \
  "$(grep -vxE 'libc6-dev|libtorch-dev' <<<"$out")" "$err"

printf '%d checks, %d failed\n' "$checks" "$failures"
[[ $failures -eq 0 ]]
