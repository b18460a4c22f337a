// doctest's own code, compiled once for every test program, because it is slow to compile.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
