// info: what it must tell.
#include <doctest/doctest.h>

#include "tests/apps/command.h"

namespace cairn::testing {

TEST_CASE("info names implementations, primitives, models and data sets") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_INFO, {}, folder.path);
  CHECK_MESSAGE(result.code == 0, result.error);
  for (const char* part : {"reference on cpu", "eigen on cpu", "vanilla on cpu", "gemm ", "adam ", "vanilla/cpu gemm=1",
                           "784-32-32-10; 26506 parameters", "mlp: ", "814090 parameters", "1628170 parameters",
                           "1596426 parameters", "7850 parameters", "fashion-mnist", "digits"})
    CHECK_MESSAGE(result.out.find(part) != std::string::npos, part);
}

TEST_CASE("info prints only what is asked for") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_INFO, {"--models"}, folder.path);
  CHECK(result.code == 0);
  CHECK(result.out.find("26432 multiply-adds") != std::string::npos);
  CHECK(result.out.find("Primitives") == std::string::npos);
  CHECK(run(CAIRN_INFO, {"--colour"}, folder.path).code == 2);
}

}  // namespace cairn::testing
