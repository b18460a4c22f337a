// Pickles: each protocol's way to write the same values, what is refused, and that no pickle takes more memory or time
// than its size warrants. Not here: arrays (tests/datasets/test_numpy.cpp).
#include "framework/pickle.h"

#include <doctest/doctest.h>

#include <string_view>

#include "framework/error.h"

namespace cairn {
namespace {

using namespace std::string_view_literals;

Pickle read(std::string_view file) {
  return {std::as_bytes(std::span(file)), "file"};
}

void check_refused(std::string_view file, const char* expected) {
  CAPTURE(expected);
  try {
    read(file);
  } catch (const DataError& error) {
    const std::string text = error.what();
    INFO(text);
    CHECK(text.starts_with("file: "));
    CHECK(text.find('\n') == std::string::npos);
    CHECK(text.find(expected) != std::string::npos);
    CHECK(text.size() < 250);
    return;
  }
  FAIL_CHECK("nothing was thrown");
}

std::string times(size_t count, std::string_view text) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

// {'a': [1, -2, 70000, 5000000000, True, None], 'b': (1.5, 'x\xe9'), 'c': ()}, as Python 3.11 writes it.
void check_values(std::string_view file) {
  const Pickle pickle = read(file);
  const PickleValue root = pickle.root();
  const PickleValue a = root.find("a", "it").value(), b = root.find("b", "it").value();
  REQUIRE(a.is(PickleKind::list));
  REQUIRE(a.size("a") == 6);
  CHECK(a.element(0, "a").integer("a") == 1);
  CHECK(a.element(1, "a").integer("a") == -2);
  CHECK(a.element(2, "a").integer("a") == 70000);
  CHECK(a.element(3, "a").integer("a") == 5'000'000'000);
  CHECK(a.element(4, "a").boolean("a"));
  CHECK(a.element(5, "a").is(PickleKind::none));
  REQUIRE(b.is(PickleKind::tuple));
  CHECK(b.element(0, "b").real("b") == 1.5);
  CHECK(b.element(1, "b").characters("b") == "x\xc3\xa9");
  CHECK(root.find("c", "it").value().size("c") == 0);
  CHECK(!root.find("d", "it"));
  CHECK_THROWS_WITH_AS(a.integer("a"), "file: a is a list, where an integer belongs", DataError);
  CHECK_THROWS_WITH_AS(b.element(2, "b"), "file: b has 2 elements, where 3 or more belong", DataError);
}

}  // namespace

TEST_CASE("a pickle's values are the same in each protocol") {
  check_values(
      "(dp0\nVa\np1\n(lp2\nI1\naI-2\naI70000\naL5000000000L\naI01\naNasVb\np3\n(F1.5\nVx\xe9\np4\ntp5\nsVc\np6\n(tp7\ns."sv);
  check_values(
      "}q\0(X\1\0\0\0aq\1]q\2(K\1J\xfe\xff\xff\xffJp\x11\1\0L5000000000L\nI01\nNeX\1\0\0\0bq\3(G?\xf8\0\0\0\0\0\0X\3\0\0\0x\xc3\xa9q\4tq\5X\1\0\0\0cq\6)u."sv);
  check_values(
      "\x80\2}q\0(X\1\0\0\0aq\1]q\2(K\1J\xfe\xff\xff\xffJp\x11\1\0\x8a\5\0\xf2\5*\1\x88NeX\1\0\0\0bq\3G?\xf8\0\0\0\0\0\0X\3\0\0\0x\xc3\xa9q\4\x86q\5X\1\0\0\0cq\6)u."sv);
  check_values(
      "\x80\4\x95\x3c\0\0\0\0\0\0\0}\x94(\x8c\1a\x94]\x94(K\1J\xfe\xff\xff\xffJp\x11\1\0\x8a\5\0\xf2\5*\1\x88Ne\x8c\1b\x94G?\xf8\0\0\0\0\0\0\x8c\3x\xc3\xa9\x94\x86\x94\x8c\1c\x94)u."sv);
}

TEST_CASE("a pickle's opcodes that numpy's files seldom have") {
  const auto characters = [](std::string_view file) { return std::string(read(file).root().characters("it")); };
  CHECK(characters("S'a\\x41\\n\\'\\\\'\n."sv) == "aA\n'\\");
  CHECK(characters("Va\\u00e9\\U0001F600\n."sv) == "a\xc3\xa9\xf0\x9f\x98\x80");
  CHECK(characters("c_codecs\nencode\n(X\3\0\0\0x\xc3\xa9X\6\0\0\0latin1tR."sv) == "x\xe9");
  CHECK(characters("c__builtin__\nbytes\n)R."sv).empty());
  CHECK(characters("\x80\5\x96\2\0\0\0\0\0\0\0ab."sv) == "ab");
  CHECK(characters("C\1aq\0"
                   "0C\1b0h\0."sv) == "a");
  CHECK(characters("(C\1aC\1b1C\1c."sv) == "c");
}

TEST_CASE("what PyTorch pickles of a network is read as calls that nobody makes") {
  const Pickle pickle = read(
      "\x80\2ccollections\nOrderedDict\nq\0)Rq\1X\1\0\0\0wq\2ctorch._utils\n_rebuild_tensor_v2\nq\3(("
      "X\7\0\0\0storageq\4"
      "ctorch\nFloatStorage\nq\5X\1\0\0\0000q\6X\3\0\0\0cpuq\7K\4tq\x08QK\0K\2K\2\x86K\2K\1\x86\x89h\0)Rtq\x09Rs}X\5\0\0\0extraK\1sb."sv);
  const PickleValue tensor = pickle.root().find("w", "it").value();
  CHECK(tensor.callee("w").global("w") == PickleGlobal::torch_tensor);
  const PickleValue storage = tensor.arguments("w").element(0, "w").element(0, "w");
  CHECK(tensor.arguments("w").element(0, "w").is(PickleKind::outside));
  CHECK(storage.element(1, "w").global_name("w") == "torch.FloatStorage");
  CHECK(storage.element(2, "w").characters("w") == "0");
  CHECK(tensor.arguments("w").element(2, "w").element(1, "w").integer("w") == 2);
  CHECK(!pickle.root().find("extra", "it"));
}

TEST_CASE("a pickle that could run something is refused by the name it asks for") {
  check_refused("cos\nsystem\n(S'touch run'\ntR."sv, "names 'os.system', which no pickle of numbers needs");
  check_refused(
      "\x80\4\x8c\x08"
      "builtins\x8c\4eval\x93\x8c\1"
      "1\x85R."sv,
      "names 'builtins.eval'");
  check_refused("cnumpy\nload\n."sv, "names 'numpy.load'");
  check_refused("cnumpy.core.multiarray\n_reconstruct.x\n."sv, "names 'numpy.core.multiarray._reconstruct.x'");
  check_refused("ca\rb\nc\x1b\n."sv, "names 'a?b.c?'");
  check_refused("c" + times(1000, "long") + "\nname\n.", "...'");
  check_refused("cnumpy\nndarray\n(tR."sv, "it calls numpy.ndarray, which is no function");
  check_refused("S'os.system'\n)R."sv, "what it calls is bytes, where a name belongs");
  for (const std::string_view maker : {"(inumpy\ndtype\n."sv, "(cnumpy\ndtype\no."sv, "cnumpy\ndtype\n)\x81."sv,
                                       "cnumpy\ndtype\n)}\x92."sv, "\x82\1."sv})
    check_refused(maker, "it makes objects of classes, which is refused");
}

TEST_CASE("a faulty pickle is refused in one line") {
  check_refused(""sv, "it is cut short, at byte 0");
  check_refused("\x80\6N."sv, "it has protocol 6, where those up to 5 are read");
  check_refused("\x1f\x8b\x08"sv, "the byte 31 is none of its opcodes (is this a pickle?)");
  check_refused("N"sv, "it is cut short");
  check_refused("NN."sv, "ends with values left over");
  check_refused("(N."sv, "ends with values left over");
  check_refused("."sv, "it takes a value that is not there");
  check_refused("(."sv, "it takes a value that is not there");
  check_refused(
      "N(0\x85"
      "0."sv,
      "it takes a value that is not there");
  check_refused("t."sv, "it goes back to a mark that is not there");
  check_refused("N.N"sv, "1 bytes follow its end");
  check_refused("NNa."sv, "what values are added to is None, where a list belongs");
  check_refused("}(Nu."sv, "a key in it has no value");
  check_refused("h\0."sv, "it asks for a value that it has not remembered");
  check_refused("Nq\1h\0."sv, "it asks for a value that it has not remembered");
  check_refused("I1x\n."sv, "'1x' is no number that it can hold");
  check_refused("L99999999999999999999L\n."sv, "is no number that it can hold");
  check_refused(
      "\x8a\x09"
      "123456789."sv,
      "it has an integer of more than 64 bits");
  check_refused("S'a\n."sv, "is no text as Python writes it");
  check_refused("S'\\q'\n."sv, "is no text as Python writes it");
  check_refused("V\\u12\n."sv, "is no text as Python writes it");
  check_refused("c_codecs\nencode\n(X\3\0\0\0\xe2\x82\xacX\6\0\0\0latin1tR."sv,
                "it has characters that latin1 has not");
  check_refused("c_codecs\nencode\n(X\1\0\0\0aX\5\0\0\0utf-8tR."sv, "it has the encoding 'utf-8'");
  check_refused("cnumpy\ndtype\n)R)b)b."sv, "it gives an array two states");
  check_refused("\x8f."sv, "it has sets, which are not read");
  check_refused("\x97."sv, "its arrays are kept outside of it");
}

TEST_CASE("a value that holds itself is refused, and so is one nested too deep") {
  check_refused("]q\0h\0a."sv, "a value in it holds itself");
  check_refused("}q\0S'a'\nh\0s."sv, "a value in it holds itself");
  check_refused(
      "]q\0h\0\x85"
      "a."sv,
      "a value in it holds itself");
  check_refused(
      "cnumpy\ndtype\n)Rq\0h\0\x85"
      "b."sv,
      "a value in it holds itself");
  CHECK(read(times(100, "]") + times(99, "a") + ".").root().is(PickleKind::list));
  check_refused(times(101, "]") + times(100, "a") + ".", "nested more than 100 deep");
  check_refused("N" + times(5'000'000, "\x85") + ".", "nested more than 100 deep");
  check_refused("N" + times(5'000'000, "Q") + ".", "nested more than 100 deep");
  // Deep only by a way that is not the first one: each list is met as a leaf's neighbour before it is met from above.
  std::string file("(]q\0"sv);
  for (int i = 1; i <= 110; ++i) {
    const std::string before(1, static_cast<char>(i - 1)), here(1, static_cast<char>(i));
    file += "]q" + here + "h" + before + "a";
  }
  check_refused(file + "l.", "nested more than 100 deep");
}

TEST_CASE("a pickle of a few bytes does not take more memory or time than its size warrants") {
  check_refused("Nr\xff\xff\xff\xff."sv, "it remembers a value under a number that is out of reach");
  check_refused(
      "B\xff\xff\xff\xff"
      "abc."sv,
      "it is cut short");
  check_refused(
      "\x8e\xff\xff\xff\xff\xff\xff\xff\xff"
      "abc."sv,
      "it is cut short");
  check_refused("\x95\xff\xff\xff\xff\xff\xff\xff\xffN."sv, "it is cut short");
  check_refused("\x8b\xff\xff\xff\xffN."sv, "it is cut short");
  const std::string text = times(1000, "a");
  const std::string encoded = std::string("c_codecs\nencode\nq\1(X\xe8\3\0\0"sv) + text;
  check_refused(encoded + std::string("X\6\0\0\0latin1tq\2R0"sv) + times(100, "h\1h\2R0") + "N.",
                "it writes out more text than it has");
  const std::string pairs = "]q\1(" + times(500, "NN\x86") +
                            "e0ccollections\nOrderedDict\nq\2"
                            "0";
  check_refused(pairs + times(500, "h\2h\1\x85R0") + "N.", "it takes the same list apart again and again");
  check_refused(times(kMostPickleValues, "]") + ".", "it has more than 16777216 values");
}

}  // namespace cairn
