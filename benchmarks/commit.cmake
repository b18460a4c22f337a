# Writes OUTPUT, a source file with the commit of the sources in SOURCE; run at every build, so that it is never an older
# one's.
# Not here: everything else about the build (machine.cpp).
set(commit unknown)
find_program(GIT git)
if(GIT)
  execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse --short=12 HEAD
    OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed ERROR_QUIET)
  execute_process(COMMAND ${GIT} -C ${SOURCE} --no-optional-locks status --porcelain --
      CMakeLists.txt CMakePresets.json apps benchmarks cmake datasets framework kernels models trainers
    OUTPUT_VARIABLE changes RESULT_VARIABLE unreadable ERROR_QUIET)
  if(NOT failed AND NOT unreadable)
    set(commit ${head})
    if(changes)
      string(APPEND commit -dirty)
    endif()
  endif()
endif()
set(text "// Written at every build by benchmarks/commit.cmake.
namespace cairn::benchmarks {
extern const char* const kCommit;
const char* const kCommit = \"${commit}\";
}
")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT "${before}" STREQUAL "${text}")
  file(WRITE ${OUTPUT} "${text}")
endif()
