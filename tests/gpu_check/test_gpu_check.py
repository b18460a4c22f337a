#!/usr/bin/env python3
"""scripts/gpu_check on a machine of stand-ins (stand_in.py): what passes, what does not, and what is written of it.

The GPU is counted through gpu.machine.gpu_count, which these tests replace; nothing else of gpu_check knows of them.
"""
import ast
import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path.insert(0, str(REPOSITORY / "benchmarks"))
sys.dont_write_bytecode = True

from gpu import archive, bars, checks, command, ladders, machine, page, profiles, recipes, steps  # noqa: E402

TOOLS = ("nvidia-smi", "compute-sanitizer", "ncu", "pytorch")
PROGRAMS = ("bench", "train", "cairn_kernel_tests", "cairn_framework_tests", "cairn_trainers_tests",
            "cairn_simt_tests", "cairn_kernel_race_tests")


class Machine:
    """A folder that looks like a checkout with a CUDA build, and the tools beside it."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="gpu_check-test-")
        self.root = Path(self.folder.name).resolve() / "checkout"
        self.build = self.root / "build/cuda"
        self.tools = self.root / "tools"
        for place, names in ((self.build / "bin", PROGRAMS), (self.tools, TOOLS)):
            place.mkdir(parents=True)
            for name in names:
                (place / name).symlink_to(HERE / "stand_in.py")
        (self.build / archive.COMMIT_FILE).write_text("0123abcd")
        self.results = self.root / "benchmarks/results/nvidia-stand-in-80gb"

    def environment(self, faults):
        return {"PATH": f"{self.tools}:{os.environ['PATH']}", "STAND_IN": json.dumps(faults), "CAIRN_DATA": ""}

    def words(self, *words):
        return [str(self.build), "--python", str(self.tools / "pytorch"), *words]

    def run(self, *words, faults=None, gpus=1, simulated=0):
        """The exit code and what was printed."""
        out, errors = io.StringIO(), io.StringIO()
        with mock.patch.dict(os.environ, self.environment(faults or {})), \
                mock.patch.object(machine, "gpu_count", lambda: gpus), \
                mock.patch.object(machine, "simulated_count", lambda environment: simulated), \
                contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            try:
                code = command.main(self.root, "", self.words(*words))
            except SystemExit as stop:  # argparse's
                code = stop.code
        self.printed = out.getvalue() + errors.getvalue()
        return code

    def report(self):
        """The newest."""
        return json.loads(sorted(self.results.glob(page.FILES))[-1].read_text())

    def rows(self):
        return {row["check"]: row for row in self.report()["checks"]}

    def is_under_way(self):
        files = list(self.results.glob(page.FILES))
        return len(files) == 1 and "shared libraries" in self.rows()

    def page(self):
        return (self.results / page.PAGE).read_text()


class GpuCheck(unittest.TestCase):
    def setUp(self):
        self.machine = Machine()
        self.addCleanup(self.machine.folder.cleanup)

    def verdicts(self):
        return {bar["bar"]: bar["verdict"] for bar in bars.all_bars(self.machine.rows())}

    def test_all_is_well(self):
        self.assertEqual(self.machine.run(), 0, self.machine.printed)
        report, rows, text = self.machine.report(), self.machine.rows(), self.machine.page()
        self.assertTrue(report["finished"])
        self.assertEqual(report["commit"], "0123abcd")
        self.assertEqual(report["device"]["power.limit"], "700.00 W")
        self.assertIn("steps", report["clocks"]["sampled"])
        self.assertEqual({row["result"] for row in rows.values()}, {"passed"})
        self.assertEqual({bar["verdict"] for bar in bars.all_bars(rows)}, {"met"})
        for left_out in ("cairn_simt_tests", "cairn_kernel_race_tests"):
            self.assertNotIn(left_out, rows)
        for part in ("# NVIDIA Stand-In 80GB", "Commit 0123abcd", "All checks passed and every bar is met",
                     "1. All green on the GPU", "dnn, batch 64, as one fused kernel: at most 10 us a step | 8.00 us",
                     "37.50 times", "Every bar is met", "lenet-caffe2 benchmark-mnist", "(scaled from 10 steps)",
                     "580.1", "cuDNN 9.9", "RuntimeError: no C compiler", "## Every check"):
            self.assertIn(part, text)
        self.assertIn("met      4  dnn, batch 64", self.machine.printed)

    def test_without_a_gpu_or_with_bad_words(self):
        self.assertEqual(self.machine.run(gpus=0), 2)
        self.assertIn("no NVIDIA GPU", self.machine.printed)
        for words in (["--only", "speed"], ["--minutes", "0"], ["--minutes", "+9"], ["--minutes", "inf"],
                      ["--limit", "nan"], ["--limit", "1_000"], ["--limit", "-1"], ["--tools", "valgrind"],
                      ["--models", "vgg"], ["--page", str(self.machine.root)], ["--only", ","]):
            self.assertEqual(self.machine.run(*words), 2, words)
            self.assertEqual(self.machine.printed.count("\n"), 1, self.machine.printed)
        self.assertFalse(self.machine.results.exists())

    def test_a_simulated_gpu(self):
        self.assertEqual(self.machine.run("--simulated", gpus=0), 2)
        self.assertIn("no simulated GPU was found", self.machine.printed)
        for words in (["--only", "steps"], ["--only", "tests,profile"]):
            self.assertEqual(self.machine.run("--simulated", *words, gpus=0, simulated=1), 2)
            self.assertIn("choose from tests, sanitizers", self.machine.printed)
        self.assertFalse(self.machine.results.parent.exists())
        # No GPU, no driver's tool, no sanitizer of NVIDIA's.
        skips = {"skips": ["cairn_kernel_tests --impl=cudnn/cuda"]}
        with mock.patch.object(machine, "find_tool", lambda name: self.fail(name)), \
                mock.patch.object(machine, "gpu_facts", lambda: self.fail("nvidia-smi")):
            self.assertEqual(self.machine.run("--simulated", gpus=0, simulated=1, faults=skips), 0,
                             self.machine.printed)
        self.machine.results = self.machine.results.parent / "simulated-gpu"
        report, rows = self.machine.report(), self.machine.rows()
        self.assertEqual(report["kind"], "gpu_check_simulated")
        self.assertEqual(rows["kernel tests, vanilla on cuda"]["result"], "passed")
        self.assertEqual(rows["kernel tests, cudnn on cuda"]["result"], "skipped")
        self.assertEqual(rows["three steps of lenet, vanilla on cuda, small sweep"]["result"], "passed")
        self.assertIn("--steps", rows["train dnn twice, vanilla on cuda"]["command"])
        self.assertNotIn("an epoch", rows["train dnn twice, vanilla on cuda"]["detail"])
        # What it has shown meets no bar, and is on no page.
        self.assertEqual(page.read(self.machine.results), [])
        self.assertFalse((self.machine.results / page.PAGE).exists())
        fails = {"fails": ["cairn_kernel_tests"]}
        self.assertEqual(self.machine.run("--simulated", gpus=0, simulated=1, faults=fails), 1)

    def test_the_gpu_that_programs_see(self):
        with mock.patch.object(machine, "load", lambda *names: None), \
                mock.patch.dict(os.environ, {"CUDA_VISIBLE_DEVICES": "3,0"}):
            self.assertEqual(self.machine.run("--only", "sanitizers", faults={"other_gpu": "3"}), 0,
                             self.machine.printed)
        self.assertEqual(self.machine.report()["device"]["compute_cap"], "9.0")

    def test_a_missing_sanitizer_fails(self):
        with mock.patch.object(machine, "find_tool", lambda name: None):
            self.assertEqual(self.machine.run("--only", "sanitizers"), 1)
        self.assertIn("compute-sanitizer was not found", self.machine.page())
        self.assertEqual({row["result"] for name, row in self.machine.rows().items() if "sanitizer" in name},
                         {"FAILED"})

    def test_a_sanitizer_error_fails(self):
        for tool in ("memcheck", "racecheck", "initcheck", "synccheck"):
            self.assertEqual(self.machine.run("--only", "sanitizers", "--tools", tool, faults={"sanitizer": tool}), 1)
            failed = [name for name, row in self.machine.rows().items() if row["result"] == "FAILED"]
            self.assertTrue(failed)
            self.assertTrue(all(name.endswith(tool) for name in failed), failed)
            self.assertIn("3 errors", self.machine.rows()[failed[0]]["detail"])
            self.assertIn("ERROR SUMMARY: 3 errors", self.machine.rows()[failed[0]]["output"])

    def test_chosen_sanitizers(self):
        self.assertEqual(self.machine.run("--only", "sanitizers", "--tools", "racecheck"), 0)
        self.assertFalse([name for name in self.machine.rows() if name.endswith("memcheck")])

    def test_a_bar_that_is_missed(self):
        self.assertEqual(self.machine.run("--only", "kernels", faults={"ladder": {"gemm tf32": 0.5}}), 1)
        verdicts = self.verdicts()
        self.assertEqual(verdicts["gemm tf32, 4096: at least 85 % of cuBLASLt"], "not met")
        self.assertEqual(verdicts["gemm bf16, 4096: at least 85 % of cuBLASLt"], "met")
        self.assertIn("50.0 % (50 TFLOP/s) | **not met**", self.machine.page())
        # The profiler looks at what missed its bar first, and says why on the page.
        self.assertEqual(self.machine.run("--only", "profile"), 0)
        profiled = [name for name in self.machine.rows() if name.startswith("profile")]
        self.assertEqual(profiled[0], "profile of gemm tf32, square 4096: 50 % of the library")
        self.assertIn("profile of conv2d_forward=6 some_rung, fp32, cnn conv2, batch 64", profiled)
        self.assertIn("| `cairn::gemm_kernel` | 82 % | 40 % | 25 % | barrier | 1234 |", self.machine.page())

    def test_profiles_without_ncu_or_ladders(self):
        self.assertEqual(self.machine.run("--only", "profile"), 1)
        self.assertIn("run the part kernels first", self.machine.page())
        with mock.patch.object(machine, "find_tool", lambda name: None):
            self.assertEqual(self.machine.run("--only", "profile"), 1)
        self.assertIn("ncu was not found", self.machine.page())

    def test_a_wrong_kernel_fails(self):
        self.assertEqual(self.machine.run("--only", "kernels", faults={"wrong": "conv2d_forward"}), 1)
        row = self.machine.rows()[ladders.conv_check("conv2d_forward")]
        self.assertEqual(row["result"], "FAILED")
        self.assertIn("1 of 9 values are off", row["detail"])
        verdicts = self.verdicts()
        self.assertEqual([verdict for text, verdict in verdicts.items() if text.startswith("conv2d_forward")],
                         ["not met"])

    def test_tests_that_must_run(self):
        skips = ["cairn_kernel_tests --impl=cudnn/cuda", "cairn_framework_tests"]
        self.assertEqual(self.machine.run("--only", "tests", faults={"skips": skips}), 1)
        rows = self.machine.rows()
        self.assertEqual(rows["kernel tests, cudnn on cuda"]["result"], "FAILED")
        self.assertEqual(rows["kernel tests, vanilla on cuda"]["result"], "passed")
        self.assertEqual(rows["cairn_framework_tests"]["result"], "skipped")

    def test_a_failing_test_and_other_bits(self):
        self.assertEqual(self.machine.run("--only", "tests", faults={"fails": ["cairn_trainers_tests"]}), 1)
        self.assertEqual(self.machine.rows()["cairn_trainers_tests"]["result"], "FAILED")
        self.assertEqual(self.machine.run("--only", "tests", faults={"other_bits": True}), 1)
        self.assertIn("other weights", self.machine.rows()["train dnn twice, vanilla on cuda"]["detail"])
        self.assertEqual(self.verdicts()["the same seed gives the same bits"], "not met")

    def test_the_torch_plugin(self):
        plugin = self.machine.build / "lib/cairn/cairn-torch.so"
        plugin.parent.mkdir(parents=True)
        plugin.touch()
        self.assertEqual(self.machine.run("--only", "tests"), 0)
        self.assertIn("kernel tests, torch on cuda", self.machine.rows())

    def test_a_build_without_the_fused_rung(self):
        self.assertEqual(self.machine.run("--only", "steps", "--models", "dnn", faults={"no_fused": True}), 1)
        self.assertEqual(self.machine.rows()[steps.check_name("dnn", "default")]["result"], "passed")
        verdicts = self.verdicts()
        self.assertEqual(verdicts["dnn, batch 64, as one fused kernel: at most 10 us a step"], "NOT RUN")
        self.assertEqual(verdicts["dnn, full batch: at least 3 times as fast as PyTorch eager"], "met")
        self.assertIn("unknown kernel 'sgd_steps=1'", self.machine.page())

    def test_without_pytorch(self):
        self.assertEqual(self.machine.run("--only", "steps,recipes", "--models", "dnn", faults={"no_torch": True}), 1)
        self.assertIn("No module named 'torch'", self.machine.rows()[steps.check_name("dnn", "default")]["detail"])
        self.assertEqual(self.machine.rows()["recipe full-batch of dnn, PyTorch"]["result"], "FAILED")

    def test_a_slow_recipe(self):
        self.assertEqual(self.machine.run("--only", "recipes", faults={"train_seconds": 3.0}), 1)
        slow = [text for text, verdict in self.verdicts().items() if verdict == "not met"]
        self.assertEqual([text.split(",")[0] for text in slow], ["linear full-batch", "dnn full-batch"])

    def test_a_budget_that_is_spent(self):
        self.assertEqual(self.machine.run("--only", "tests,kernels", "--minutes", "0.06", faults={"hang": True}), 1)
        results = {row["result"] for name, row in self.machine.rows().items() if name != "device facts from nvidia-smi"
                   and name != "shared libraries"}
        self.assertEqual(results, {"NOT RUN"})
        self.assertEqual({verdict for text, verdict in self.verdicts().items() if text.startswith("gemm")}, {"NOT RUN"})
        self.assertIn("the budget of 0.06 minutes was spent", self.machine.page())

    def test_a_check_that_takes_too_long(self):
        self.assertEqual(self.machine.run("--only", "tests", "--limit", "0.3", faults={"hang": True}), 1)
        self.assertIn("not done after 0.3 s", self.machine.rows()["cairn_framework_tests"]["detail"])

    def test_a_killed_run_leaves_valid_results(self):
        start = ("import sys; sys.dont_write_bytecode = True; sys.path.insert(0, sys.argv[1]); "
                 "from gpu import command, machine; from pathlib import Path; machine.gpu_count = lambda: 1; "
                 "command.main(Path(sys.argv[2]), '', sys.argv[3:])")
        words = [sys.executable, "-c", start, str(REPOSITORY / "benchmarks"), str(self.machine.root),
                 *self.machine.words("--only", "kernels,tests")]
        process = subprocess.Popen(words, env={**os.environ, **self.machine.environment({"hang": True})},
                                   stdout=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + 60
        while time.monotonic() < end and not self.machine.is_under_way():
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        self.assertFalse(self.machine.report()["finished"])
        self.assertEqual(self.machine.rows()["shared libraries"]["result"], "passed")
        # A page can be made of it, and says so.
        self.assertEqual(self.machine.run("--page", str(self.machine.results)), 1)
        self.assertIn("cut off", self.machine.page())

    def test_partial_runs_make_one_page(self):
        self.assertEqual(self.machine.run("--only", "tests", faults={"fails": ["cairn_trainers_tests"]}), 1)
        self.assertEqual(self.machine.run("--only", "tests"), 0)
        self.assertEqual(self.machine.run("--only", "kernels"), 0)
        self.assertEqual(self.machine.run("--only", "sanitizers", "--tools", "memcheck"), 0)
        self.assertEqual(self.machine.run("--page", str(self.machine.results)), 1)  # steps and recipes are missing
        text = self.machine.page()
        self.assertIn("in less than the 36.6 s of cuDNN (not stated) | - | **NOT RUN**", text)
        merged = page.Merged(page.read(self.machine.results))
        verdicts = {bar["verdict"] for bar in merged.bars if bar["point"] in (2, 3)}
        self.assertEqual(verdicts, {"met"})
        self.assertRegex(text, r"cairn_trainers_tests \| passed \|.*it failed: exit code 1")
        # Another commit's results stay off the page.
        (self.machine.build / archive.COMMIT_FILE).write_text("4567ef01")
        self.assertEqual(self.machine.run("--only", "tests"), 0)
        text = self.machine.page()
        self.assertIn("4 older results of other commits are not on this page", text)
        self.assertIn("initcheck and synccheck find nothing | 0 passed, 0 did not | **NOT RUN**", text)
        self.assertNotIn("50 TFLOP/s", text)

    def test_what_is_not_run_does_not_hide_what_was(self):
        self.assertEqual(self.machine.run("--only", "kernels"), 0)
        self.assertEqual(self.machine.run("--only", "kernels", "--minutes", "0.01"), 1)
        self.assertIn("NOT RUN", {row["result"] for row in self.machine.rows().values()})
        merged = page.Merged(page.read(self.machine.results))
        self.assertEqual(merged.rows[ladders.NETWORKS_CHECK]["result"], "passed")

    def test_carry(self):
        data = self.machine.root / "sets/mnist"
        data.mkdir(parents=True)
        (data / "train-images-idx3-ubyte.gz").write_text("images")
        (self.machine.root / "scripts").mkdir()
        (self.machine.root / "scripts/gpu_check").write_text("")
        file = self.machine.root / "carried.tar.xz"
        self.assertEqual(self.machine.run("--carry", str(file), "--data-dir", str(data.parent), gpus=0), 0)
        with tarfile.open(file) as carried:
            names = carried.getnames()
            place = carried.extractfile(f"build/cuda/{archive.SOURCE_FILE}").read().decode()
        self.assertEqual(place, str(self.machine.root))
        for name in ("build/cuda/bin/train", "build/cuda/commit.txt", "scripts/gpu_check",
                     "data/mnist/train-images-idx3-ubyte.gz"):
            self.assertIn(name, names)
        self.assertNotIn("build/cuda/bin/cairn_simt_tests", names)

    def test_a_carried_build_at_another_place(self):
        (self.machine.build / archive.SOURCE_FILE).write_text("/nowhere/cairn")
        self.assertEqual(self.machine.run("--only", "tests"), 1)
        self.assertIn("ln -s", self.machine.rows()["the place of the build"]["detail"])


class Driver:
    """Of libcuda.so.1, as far as the first GPU's name goes."""

    def cuInit(self, _):
        return 0

    def cuDeviceGet(self, device, ordinal):
        device._obj.value = 7
        return ordinal

    def cuDeviceGetUuid(self, number, device):
        for i in range(16):
            number._obj[i] = 16 * i + device.value
        return 0


class Readings(unittest.TestCase):
    """What nvidia-smi is asked, and what becomes of its answers."""

    def setUp(self):
        self.machine = Machine()
        self.addCleanup(self.machine.folder.cleanup)

    def test_the_first_gpu_by_its_number(self):
        with mock.patch.object(machine, "load", lambda *names: Driver()):
            self.assertEqual(machine.gpu_id(), "GPU-07172737-4757-6777-8797-a7b7c7d7e7f7")
        with mock.patch.object(machine, "load", lambda *names: None):
            for visible, expected in (("2,0", "2"), ("GPU-8932f937", "GPU-8932f937"), ("", "0")):
                with mock.patch.dict(os.environ, {"CUDA_VISIBLE_DEVICES": visible}):
                    self.assertEqual(machine.gpu_id(), expected)

    def test_clocks_are_read_for_longer_than_a_pipe_holds(self):
        done, lines = Path(self.machine.folder.name) / "done", 20000
        with mock.patch.dict(os.environ, self.machine.environment({"lines": lines, "done": str(done)})):
            with machine.Clocks() as sampled:
                end = time.monotonic() + 60
                while not done.exists() and time.monotonic() < end:
                    time.sleep(0.02)
        self.assertEqual(len(sampled.samples), lines)
        self.assertEqual(sampled.summary()["utilization.gpu"], [1, (lines + 1) / 2, lines])


class Tables(unittest.TestCase):
    """What is written down twice is the same twice."""

    def test_published_figures_are_those_of_the_comparisons(self):
        source = (REPOSITORY / "comparisons/published.cpp").read_text()
        for model, _, _, by, device, seconds, accuracy in recipes.PUBLISHED:
            lines = [line for line in source.splitlines() if f'"{model}"' in line and f'"{by}"' in line
                     and (device in line or device in ("not stated", "RTX 2060")) and "fashion" not in line]
            self.assertEqual(len(lines), 1, (model, by))
            numbers = [float(number) for number in re.findall(r"(?<![\w])\d+(?:\.\d+)?(?![\w])", lines[0])]
            self.assertIn(seconds, numbers)
            if accuracy is not None:
                self.assertIn(accuracy, numbers)

    def test_every_network_has_a_step(self):
        trees = [ast.parse((REPOSITORY / "comparisons/references" / name).read_text()) for name in ("networks.py", "texts.py")]
        names = {key.value for tree in trees for node in tree.body if isinstance(node, ast.Assign)
                 and getattr(node.targets[0], "id", "") in ("MODELS", "BLOCKS") for key in node.value.keys}
        self.assertIn("imdb-gru", names)
        self.assertEqual(names - {"cifar-tutorial", "imagenet-tutorial"}, set(steps.MODELS))

    def test_ncu_that_may_not_count(self):
        self.assertEqual(profiles.parse("==ERROR== ERR_NVGPUCTRPERM - The user does not have permission\n"), [])

    def test_results_are_written_whole(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "deep/gpu_check-1.json"
            listed = checks.Checks(file, {"kind": "gpu_check"}, dict(os.environ), folder, 10, 60)
            with contextlib.redirect_stdout(io.StringIO()):
                listed.add("one", "passed", "said", 1.0, ["true"])
            self.assertEqual(json.loads(file.read_text())["checks"][0]["command"], ["true"])
            self.assertEqual([path.name for path in file.parent.iterdir()], ["gpu_check-1.json"])


if __name__ == "__main__":
    unittest.main()
