// The main function of every test program that has none of its own.
#include <doctest/doctest.h>

int main(int count, char** arguments) {
  return doctest::Context(count, arguments).run();
}
