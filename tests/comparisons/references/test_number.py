"""Numbers on the command lines of the Python programs: the whole word in decimal digits, or one line and exit code 2."""
import argparse
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "comparisons/references"))
sys.dont_write_bytecode = True

import number  # noqa: E402

NO_NUMBER = ("", " ", "+5", " 5", "5 ", "5\n", "1_000", "nan", "inf", "-inf", "0x10", "five", "5x", "--5", "٣", "1,5", "-1")


def refused(read, word):
    try:
        return f"{word!r} was read as {read(word)}"
    except argparse.ArgumentTypeError as problem:
        return str(problem)


class Words(unittest.TestCase):
    def test_whole_numbers(self):
        read = number.whole(2, 2**64 - 1)
        for word, value in (("2", 2), ("064", 64), ("0" * 5000 + "7", 7), (str(2**64 - 1), 2**64 - 1)):
            self.assertEqual(read(word), value)
        for word in (*NO_NUMBER, "5.0", "1e3", "1", str(2**64), "9" * 5000):
            self.assertEqual(refused(read, word), f"{word!r} is not a whole number from 2 to {2**64 - 1}")

    def test_numbers_above_zero(self):
        read = number.positive(1000)
        for word, value in (("0.5", 0.5), (".5", 0.5), ("5.", 5.0), ("064", 64.0), ("1e3", 1000.0), ("2E-3", 0.002)):
            self.assertEqual(read(word), value)
        for word in (*NO_NUMBER, "0", "0.0", "1e-999", "1e999", "1000.1", ".", "e3", "1e", "1e+"):
            self.assertEqual(refused(read, word), f"{word!r} is not a number above 0 and up to 1000")


class Programs(unittest.TestCase):
    def check(self, program, words, text):
        done = subprocess.run([sys.executable, str(ROOT / program), *words], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", f"{pathlib.Path(program).name}: {text}\n"))

    def test_one_line_and_exit_code_2(self):
        count = "is not a whole number from 1 to 2147483647"
        self.check("benchmarks/accuracy.py", ["--train", "train", "--seeds", "+5"], f"argument --seeds: '+5' {count}")
        self.check("benchmarks/accuracy.py", ["--train", "train", "--seeds", "-1"], f"argument --seeds: '-1' {count}")
        self.check("benchmarks/versus_pytorch.py", ["--rounds", "1_000"], f"argument --rounds: '1_000' {count}")
        self.check("benchmarks/versus_pytorch.py", ["--seconds", "inf"],
                   "argument --seconds: 'inf' is not a number above 0 and up to 604800")
        self.check("benchmarks/versus_pytorch.py", ["--batch-size", "+64"],
                   "argument --batch-size: '+64' is not a whole number from 0 to 2147483647")
        self.check("benchmarks/versus_pytorch.py", ["--threads", "two"],
                   "argument --threads: 'two' is not a whole number from 1 to 1024")

    def test_no_program_has_a_reader_of_its_own(self):
        programs = [path for folder in ("benchmarks", "comparisons", "scripts") for path in (ROOT / folder).rglob("*")
                    if path.is_file() and (path.suffix == ".py" or path.parent.name == "scripts")]
        self.assertGreater(len(programs), 20)
        for program in programs:
            self.assertIsNone(re.search(r"type=(int|float)\b", program.read_text()), program)


if __name__ == "__main__":
    unittest.main()
