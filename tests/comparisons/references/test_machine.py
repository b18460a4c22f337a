"""The recorder names machines as Cairn does: the texts of tests/benchmarks/cpuinfo, each under the name it must get."""
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "comparisons/references"))

import machine  # noqa: E402


class Names(unittest.TestCase):
    def test_every_processor_gets_the_name_of_its_text(self):
        texts = sorted((ROOT / "tests/benchmarks/cpuinfo").glob("*.txt"))
        self.assertGreater(len(texts), 10)
        for text in texts:
            key, _, cores = machine.identify(text.read_text())
            self.assertEqual(f"{key}-{cores}-cores", text.stem)

    def test_no_text_or_one_of_no_processor(self):
        for text in ("", "\n", "vendor_id : AuthenticAMD\n", "processor", ":\n::\n"):
            self.assertEqual(machine.identify(text), ("unknown-processor", "unknown-processor", 0))


if __name__ == "__main__":
    unittest.main()
