"""The one reader of numbers that people write, for the command lines of the Python programs: the whole word in decimal
digits, as kernels/number.h reads them, where argparse's int and float also take `+5`, ` 5`, `1_000`, `nan` and `inf`.
"""
import argparse
import re
import sys


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage; exit code 2."""

    def error(self, message):
        print(f"{self.prog}: {message}", file=sys.stderr)
        sys.exit(2)


def whole(least, most=2**31 - 1):
    """A `type` of argparse: whole numbers from least to most."""
    def read(word):
        # 20 digits are enough for 64 bits; int() refuses thousands of them in words of its own.
        if not re.fullmatch("0*[0-9]{1,20}", word) or not least <= int(word[-20:]) <= most:
            raise argparse.ArgumentTypeError(f"{word!r} is not a whole number from {least} to {most}")
        return int(word[-20:])
    return read


def positive(most):
    """A `type` of argparse: numbers above 0 and up to most."""
    def read(word):
        decimal = re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", word)
        if not decimal or not 0 < float(word) <= most:
            raise argparse.ArgumentTypeError(f"{word!r} is not a number above 0 and up to {most:g}")
        return float(word)
    return read


COUNT = whole(1)
THREADS = whole(0, 1024)
SECONDS = positive(7 * 86400)
