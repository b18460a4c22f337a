// info: what it must tell.
#include <doctest/doctest.h>

#include "tests/apps/command.h"

namespace cairn::testing {

TEST_CASE("info names implementations, primitives, models and data sets") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_INFO, {}, folder.path);
  CHECK_MESSAGE(result.code == 0, result.error);
  for (const char* part : {"reference on cpu", "eigen on cpu", "vanilla on cpu", "gemm ", "adam ", "vanilla/cpu gemm=1",
                           "784-32-32-10; images [1, 28, 28], 26506 parameters", "mlp: ", "814090 parameters",
                           "1628170 parameters", "1596426 parameters", "7850 parameters", "fashion-mnist", "digits"})
    CHECK_MESSAGE(result.out.find(part) != std::string::npos, part);
}

TEST_CASE("info prints only what is asked for") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_INFO, {"--models"}, folder.path);
  CHECK(result.code == 0);
  for (const char* part :
       {"26432 multiply-adds", "lenet: ", "61706 parameters, 416520 multiply-adds",
        "lenet-caffe: ", "431080 parameters, 2293000 multiply-adds", "3274634 parameters, 13883904 multiply-adds",
        "856130 parameters, 4293000 multiply-adds", "427210 parameters", "29330 parameters, 316800 multiply-adds",
        "81330 parameters, 1534180 multiply-adds", "325650 parameters, 878000 multiply-adds",
        "recipes: default skoltech skoltech-pytorch", "MaxPool2d", "[20, 24, 24]"})
    CHECK_MESSAGE(result.out.find(part) != std::string::npos, part);
  CHECK(result.out.find("Primitives") == std::string::npos);
  CHECK(run(CAIRN_INFO, {"--colour"}, folder.path).code == 2);
}

}  // namespace cairn::testing
