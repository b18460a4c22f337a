// Checks this source tree against the rules of the house, and the rules against planted faults.
#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>

#include "tests/house/rules.h"

namespace cairn::house {
namespace {

namespace fs = std::filesystem;

// A small tree in a temporary folder: sound, until a test plants something.
class Tree {
 public:
  Tree() {
    std::string pattern = (fs::temp_directory_path() / "cairn-house-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    root_ = pattern;
    write("kernels/backend.h", "// The seam.\n#pragma once\n");
    write("kernels/simd/backend.h", "// simd.\n#pragma once\n#include \"kernels/backend.h\"\n");
    write("kernels/reference/backend.h", "// reference.\n#pragma once\n#include \"kernels/backend.h\"\n");
    write("kernels/registry.cpp", "#include \"kernels/simd/backend.h\"\n");
    write("framework/tensor.h", "// Tensors.\n#pragma once\n#include <vector>\n#include \"kernels/backend.h\"\n");
    write("trainers/trainer.h", "// The loop.\n#pragma once\n#include \"framework/tensor.h\"\n");
    write("build/generated.h", "\tnobody's business \n");
  }
  ~Tree() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  // The one violation there is.
  std::string violation() const {
    const Report report = inspect(root_);
    CHECK(report.violations.size() == 1);
    return report.violations.empty() ? "" : report.violations[0];
  }
  const fs::path& root() const { return root_; }

 private:
  fs::path root_;
};

}  // namespace

TEST_CASE("this tree keeps the rules of the house") {
  const Report report = inspect(CAIRN_SOURCE_DIR);
  CHECK(report.files > 100);
  for (const std::string& violation : report.violations) FAIL_CHECK(violation);
}

TEST_CASE("JSON is written by the one function that takes any file's name") {
  const Tree tree;
  tree.write("trainers/run.cpp", "// A run.\nauto text = json.dump();\n");
  CHECK(tree.violation() ==
        "trainers/run.cpp:2: JSON throws for texts that are not UTF-8, as names of files may be; use dump_json");
  tree.write("trainers/run.cpp", "// A run.\nauto text = dump_json(json);\n");
  tree.write("tests/test_run.cpp", "auto text = json.dump();\n");
  CHECK(inspect(tree.root()).violations.empty());
}

TEST_CASE("a sound tree has no violation") {
  const Tree tree;
  const Report report = inspect(tree.root());
  CHECK(report.files == 6);
  CHECK(report.violations.empty());
}

TEST_CASE("an arrow that points up") {
  const Tree tree;
  tree.write("framework/bad.cpp", "\n#include \"trainers/trainer.h\"\n");
  CHECK(tree.violation() ==
        "framework/bad.cpp:2: includes trainers/trainer.h, but arrows point down only: framework may not use trainers");
}

TEST_CASE("the framework looking behind the seam") {
  const Tree tree;
  tree.write("framework/bad.cpp", "#include \"kernels/simd/backend.h\"\n");
  CHECK(tree.violation().find("framework may not use kernels/simd") != std::string::npos);
}

TEST_CASE("an implementation using another one, or the framework") {
  const Tree tree;
  tree.write("kernels/simd/gemm/bad.cpp", "#  include \"kernels/reference/backend.h\"\n");
  CHECK(tree.violation().find("kernels/simd may not use kernels/reference") != std::string::npos);
  tree.write("kernels/simd/gemm/bad.cpp", "#include \"framework/tensor.h\"\n");
  CHECK(tree.violation().find("kernels/simd may not use framework") != std::string::npos);
}

TEST_CASE("an implementation that the rules do not know") {
  const Tree tree;
  tree.write("kernels/other/gemm.cpp", "#include \"kernels/backend.h\"\n");
  CHECK(tree.violation().find("kernels/other is an implementation that tests/house/rules.cpp does not know") !=
        std::string::npos);
}

TEST_CASE("a CUDA header above the seam") {
  const Tree tree;
  tree.write("framework/bad.cpp", "#include <cuda_runtime.h>\n");
  CHECK(tree.violation() ==
        "framework/bad.cpp:1: includes the CUDA header cuda_runtime.h; framework must build without CUDA");
  tree.write("framework/bad.cpp", "");
  tree.write("kernels/runtime/cuda/good.cpp", "#include <cuda_runtime.h>\n");
  CHECK(inspect(tree.root()).violations.empty());
}

TEST_CASE("an include that is not written from the root") {
  const Tree tree;
  tree.write("framework/bad.cpp", "#include \"tensor.h\"\n");
  CHECK(tree.violation() == "framework/bad.cpp:1: includes tensor.h, which is no path from the root of the repository");
}

TEST_CASE("a comment that cites a file which is not there") {
  const Tree tree;
  tree.write("kernels/simd/team.h",
             "// Teams, for backend.h, kernels/registry.cpp and framework/tensor.h.\n#pragma once\n");
  tree.write("framework/good.cpp",
             "int a;  // as in \"gemm.cu:41\", *_args.h and a.hpp\nauto b = \"no // comment\"; // tensor.h\n");
  CHECK(inspect(tree.root()).violations.empty());
  tree.write("framework/bad.cpp", "int a;\nint b;  // see launch.h\n");
  CHECK(tree.violation() ==
        "framework/bad.cpp:2: the comment cites launch.h, which is neither in this folder nor in one above it");
  tree.write("framework/bad.cpp", "// One file (backend.h).\n");  // it is in another folder
  CHECK(tree.violation().find("framework/bad.cpp:1: the comment cites backend.h") == 0);
}

TEST_CASE("a primitive outside its family's files") {
  const Tree tree;
  tree.write("kernels/primitives.h",
             "// The list.\n#pragma once\n  PRIMITIVE(gemm, gemm, GemmArgs)  \\\n  PRIMITIVE(bias, bias_forward, B)\n");
  const std::string gemm = "void gemm(Stream&, const GemmArgs& args) {\n}\n";
  tree.write("kernels/simd/gemm_sparse.cpp", gemm);
  tree.write("kernels/reference/gemm/gemm.cpp", gemm);
  tree.write("kernels/reference/other.cpp", "void gemm(Stream&, const GemmArgs& args);\nvoid gemm(int m) {\n}\n");
  tree.write("tests/kernels/test_bias.cpp", "TEST_CASE(\"bias_forward\") {\n}\nTEST_CASE(\"gemms\") {\n}\n");
  CHECK(inspect(tree.root()).violations.empty());
  tree.write("kernels/simd/products.cpp", "\n" + gemm);
  CHECK(tree.violation() ==
        "kernels/simd/products.cpp:2: gemm is of the family gemm, whose files and folders begin with that name");
  tree.write("kernels/simd/products.cpp", "");
  tree.write("kernels/simd/biases.cu", "bool bias_forward(Stream&, const B& args) {\n}\n");
  CHECK(tree.violation().find("kernels/simd/biases.cu:1: bias_forward is of the family bias") == 0);
  tree.write("kernels/simd/biases.cu", "");
  tree.write("tests/kernels/test_bias.cpp", "TEST_CASE(\"gemm: the same bits\") {\n}\n");
  CHECK(tree.violation().find("tests/kernels/test_bias.cpp:1: gemm is of the family gemm") == 0);
}

TEST_CASE("a file that is too long") {
  const Tree tree;
  std::string text;
  for (int i = 0; i < 600; ++i) text += "//\n";
  tree.write("framework/long.cpp", text);
  CHECK(inspect(tree.root()).violations.empty());
  tree.write("framework/long.cpp", text + "//\n");
  CHECK(tree.violation() == "framework/long.cpp:601: the file has 601 lines; split it, 600 is the most");
}

TEST_CASE("a function that no screen holds") {
  const Tree tree;
  std::string body;
  for (int i = 0; i < 60; ++i) body += "  step();\n";
  tree.write("framework/long.cpp", "void walk() {\n" + body + "}\n");
  CHECK(inspect(tree.root()).violations.empty());
  tree.write("framework/long.cpp", "\nvoid walk() {\n" + body + "  step();\n}\n");
  CHECK(
      tree.violation() ==
      "framework/long.cpp:2: the function has 61 lines; 60 are the most, unless a comment above says \"Long because\"");
  tree.write("framework/long.cpp", "// Long because it is a table.\nvoid walk() {\n" + body + "  step();\n}\n");
  CHECK(inspect(tree.root()).violations.empty());
}

TEST_CASE("white space") {
  const Tree tree;
  tree.write("docs/page.md", "text\n\tindented\n");
  CHECK(tree.violation() == "docs/page.md:2: tab");
  tree.write("docs/page.md", "text \n");
  CHECK(tree.violation() == "docs/page.md:1: trailing white space");
  tree.write("docs/page.md", "text\r\n");
  CHECK(tree.violation() == "docs/page.md:1: trailing white space");
}

TEST_CASE("headers") {
  const Tree tree;
  tree.write("framework/bad.h", "#pragma once\n");
  CHECK(tree.violation().find("framework/bad.h:1: a header starts with a comment") == 0);
  tree.write("framework/bad.h", "// What lives here.\n");
  CHECK(tree.violation() == "framework/bad.h:1: a header needs #pragma once");
}

TEST_CASE("links that lead nowhere") {
  const Tree tree;
  tree.write("docs/page.md",
             "# One `two`, three\n\n[here](#one-two-three) [there](other.md#that) [up](../README.md)\n");
  tree.write("docs/other.md", "## That\n\n[elsewhere](https://example.org/none) `a[i](none.md)`\n\n    [](none.md)\n");
  tree.write("README.md", "[a page](docs/page.md) and [a folder](docs)\n");
  CHECK(inspect(tree.root()).violations.empty());
  tree.write("README.md", "\n[a page](docs/pages.md)\n");
  CHECK(tree.violation() == "README.md:2: links to docs/pages.md, and there is no such file");
  tree.write("README.md", "[a heading](docs/other.md#this)\n");
  CHECK(tree.violation() == "README.md:1: links to docs/other.md#this, and the page has no such heading");
}

}  // namespace cairn::house
