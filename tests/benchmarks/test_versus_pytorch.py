#!/usr/bin/env python3
"""benchmarks/versus_pytorch.py and versus_torchvision.py with stand-ins on both sides: whose turn it is and who stands still meanwhile, what is made
of the figures, which step each side is asked for, and what is refused. Not here: PyTorch's step (timed_steps.py)."""
import ast
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
sys.dont_write_bytecode = True

import versus_pytorch  # noqa: E402
import recipes  # noqa: E402
import step_forms  # noqa: E402

# Either side, by the name it is started under; its place holds words.json, pid and log of both, and what goes wrong.
SIDE = '''#!/usr/bin/env -S python3 -I -S
import json, os, pathlib, sys, time
place = pathlib.Path(sys.argv[0]).parent
name = pathlib.Path(sys.argv[0]).name
other = {"bench": "python", "python": "bench"}[name]
faults = json.loads((place / "faults.json").read_text())
(place / (name + ".pid")).write_text(str(os.getpid()))
(place / (name + ".json")).write_text(json.dumps({"words": sys.argv[1:], "waiting": os.environ.get("OMP_WAIT_POLICY")}))


def say(value):
    print(json.dumps(value), flush=True)


def log(what):
    """With what the other process is doing, the letter after the name in brackets: T once it stands still."""
    file = pathlib.Path("/proc", (place / (other + ".pid")).read_text(), "stat")
    for _ in range(200):
        state = file.read_text().rpartition(")")[2].split()[0]
        if state == "T":
            break
        time.sleep(0.01)
    with open(place / "log", "a") as file:
        file.write(what + " " + state + "\\n")


if faults.get("silent") == name and faults.get("model", "dnn") in sys.argv:
    print(name + ": no such network", file=sys.stderr)
    sys.exit(2)
if name == "bench":
    say({"batch_size": 64, "dataset": "digits", "impl": "simd"})
    for line in sys.stdin:
        log("cairn")
        say({"step_seconds": 0.002})
else:
    say({"loaded": True})
    sys.stdin.readline()
    log("begin")
    say({"torch": "2.9", "python": "3.12", "capability": "AVX2", "data": "mnist", "threads": 2,
         "batch_size": faults.get("batch_size", 64),
         "forms": faults.get("forms", {"eager": None, "channels_last": None, "compiled": "RuntimeError: no compiler"})})
    for line in sys.stdin:
        if faults.get("dies"):
            print("torch: out of memory", file=sys.stderr)
            sys.exit(1)
        form = json.loads(line)["form"]
        log(form)
        say({"step_seconds": {"eager": 0.006, "channels_last": 0.005}[form]})
'''


class Sides(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="versus-test-")
        self.addCleanup(folder.cleanup)
        self.place = pathlib.Path(folder.name)
        for name in ("bench", "python"):
            (self.place / name).write_text(SIDE)
            (self.place / name).chmod(0o755)

    program = "versus_pytorch.py"

    def command(self, *words, faults=None):
        (self.place / "faults.json").write_text(json.dumps(faults or {}))
        return [sys.executable, str(ROOT / "benchmarks" / self.program), "--bench", str(self.place / "bench"), "--python",
                str(self.place / "python"), *words]

    def run_with(self, *words, faults=None):
        environment = {name: value for name, value in os.environ.items() if name not in ("CAIRN_DATA", "OMP_WAIT_POLICY")}
        done = subprocess.run(self.command(*words, faults=faults), capture_output=True, text=True, check=False,
                              env=environment, cwd=self.place)
        # Whether tests run beside others is no matter here.
        done.stderr = "".join(line for line in done.stderr.splitlines(True) if "the machine is busy" not in line)
        return done

    def asked(self, name):
        return json.loads((self.place / f"{name}.json").read_text())

    def test_turns_change_their_order_and_the_others_stand_still(self):
        done = self.run_with("--models", "lenet", "--rounds", "3", "--seconds", "0.01")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        turns = ["cairn", "eager", "channels_last"]
        # Cairn's side is ready, and stopped, before PyTorch's makes its forms.
        self.assertEqual((self.place / "log").read_text().split("\n")[:-1],
                         [f"{name} T" for name in ["begin", *turns, *turns[::-1], *turns]])
        result = json.loads(done.stdout.splitlines()[-1])["results"][0]
        self.assertEqual((result["pytorch_form"], result["ratio"], result["cairn_ms"]), ("channels_last", 2.5, 2.0))
        self.assertEqual(result["ratio_to"], {"eager": 3.0, "channels_last": 2.5})
        self.assertEqual(result["missing"], {"compiled": "RuntimeError: no compiler"})
        self.assertEqual(done.stdout.splitlines()[0], "lenet default, batch 64: cairn 2, PyTorch 5 ms a step (channels_last), "
                         "ratio 2.50 over 3 rounds; to each form: eager 3.00, channels_last 2.50; not timed: compiled "
                         "(RuntimeError: no compiler)")

    def test_both_sides_are_asked_for_the_same_step(self):
        (self.place / "data/mnist").mkdir(parents=True)
        done = self.run_with("--models", "cnn", "--recipe", "benchmark-mnist", "--batch-size", "100", "--threads", "3",
                             "--rounds", "1", "--impl", "vanilla", "--dataset", "digits", "--json", "out.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        own, rival = self.asked("bench"), self.asked("python")
        same = ["--model cnn", "--recipe benchmark-mnist", "--batch-size 100", "--threads 3", "--device cpu"]
        for words, more in ((own["words"], ["step --turns", "--impl vanilla", "--dataset digits"]),
                            (rival["words"], ["--fused", "--data-dir data/mnist"])):
            for text in same + more:
                self.assertIn(f" {text} ", f" {' '.join(words)} ")
        self.assertNotIn("--forms", rival["words"])
        self.assertNotIn("--without", rival["words"])
        self.assertEqual((own["waiting"], rival["waiting"]), (None, "active"))
        self.assertEqual((self.place / "out.json").read_text(), done.stdout.splitlines()[-1] + "\n")

    def test_inference_beside_torchvision(self):
        self.program = "versus_torchvision.py"
        done = self.run_with("--models", "resnet50", "--batch-sizes", "64", "--rounds", "2", "--seconds", "0.01", "--threads", "3",
                             "--forms", "eager", "traced", "--json", "out.json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        own, rival = self.asked("bench"), self.asked("python")
        self.assertEqual(own["words"], ["inference", "--turns", "--model", "resnet50", "--batch-size", "64", "--impl", "simd",
                                        "--device", "cpu", "--threads", "3", "--repeats", "5"])
        self.assertEqual(rival["words"][1:], ["--model", "resnet50", "--batch-size", "64", "--threads", "3", "--forms", "eager",
                                              "traced"])
        self.assertTrue(rival["words"][0].endswith("benchmarks/pytorch/inference.py"))
        self.assertEqual((own["waiting"], rival["waiting"]), (None, "active"))
        self.assertEqual(done.stdout.splitlines()[0], "resnet50, batch 64: cairn 2, PyTorch 5 ms a batch (channels_last), ratio 2.50 "
                         "over 2 rounds; to each form: eager 3.00, channels_last 2.50; not timed: compiled (RuntimeError: no "
                         "compiler)")
        self.assertEqual((self.place / "out.json").read_text(), done.stdout.splitlines()[-1] + "\n")
        done = self.run_with("--models", "resnet50", "--batch-sizes", "1", "--rounds", "1", "--seconds", "0.01",
                             faults={"forms": {"eager": "no"}})
        self.assertEqual((done.returncode, done.stderr),
                         (1, "versus_torchvision.py: resnet50 is not timed: PyTorch: no form works: eager (no)\n"))

    def test_pytorch_as_it_comes(self):
        self.assertEqual(self.run_with("--models", "cnn", "--rounds", "1", "--seconds", "0.01", "--plain").returncode, 0)
        rival = self.asked("python")
        self.assertEqual(rival["waiting"], None)
        self.assertEqual(rival["words"][-2:], ["--forms", "eager"])
        self.assertFalse({"--fused", "--threads"} & set(rival["words"]))

    def test_what_pytorch_leaves_out_is_said(self):
        done = self.run_with("--models", "cifar-vgg", "--recipe", "default", "--rounds", "1", "--seconds", "0.01")
        self.assertEqual(self.asked("python")["words"][-2:], ["--without", "augmentation"])
        self.assertIn("PyTorch's step is without augmentation: Cairn's does more\n", done.stdout)
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["results"][0]["pytorch_without"], ["augmentation"])
        self.assertNotIn("without", self.run_with("--models", "cifar-vgg", "--rounds", "1", "--seconds", "0.01").stdout
                         .splitlines()[0])

    def test_a_side_that_fails_is_named_and_the_others_are_timed(self):
        for faults, text in (({"silent": "bench"}, "bench: no such network"), ({"silent": "python"}, "python: no such network"),
                             ({"dies": True}, "torch: out of memory"),
                             ({"batch_size": 60000}, "the batches differ, Cairn's of 64 and PyTorch's of 60000"),
                             ({"forms": {"eager": "no"}}, "PyTorch: no form works: eager (no)")):
            done = self.run_with("--models", "dnn", "--rounds", "1", "--seconds", "0.01", faults=faults)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
            self.assertIn(f"versus_pytorch.py: dnn is not timed: {text}", done.stderr)
            self.assertEqual(json.loads(done.stdout)["results"], [])
        faults = {"silent": "bench", "model": "mlp"}
        done = self.run_with("--models", "dnn", "mlp", "cnn", "--rounds", "1", "--seconds", "0.01", faults=faults)
        self.assertEqual((done.returncode, done.stderr), (1, "versus_pytorch.py: mlp is not timed: bench: no such network\n"))
        self.assertEqual([result["model"] for result in json.loads(done.stdout.splitlines()[-1])["results"]], ["dnn", "cnn"])

    def test_a_side_that_cannot_be_started_is_one_line(self):
        (self.place / "python").write_bytes(b"\x00")
        done = self.run_with("--models", "dnn", "--rounds", "1", "--seconds", "0.01")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Aversus_pytorch.py: dnn is not timed: \S*/python cannot be started: [^\n]+\n\Z")

    def test_a_stopped_side_does_not_outlive_the_measurement(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                self.interrupt_by(number)

    def interrupt_by(self, number):
        (self.place / "log").unlink(missing_ok=True)
        process = subprocess.Popen(self.command("--models", "dnn", "--seconds", "0.01", "--rounds", "1000000"),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.place)
        end = time.monotonic() + 60
        while time.monotonic() < end and not (self.place / "log").exists():
            time.sleep(0.01)
        process.send_signal(number)
        code = process.wait(60)
        pids = [int((self.place / f"{name}.pid").read_text()) for name in ("bench", "python")]
        left = [pid for pid in pids if pathlib.Path("/proc", str(pid)).exists()]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        self.assertEqual((code, left), (128 + number, []))

    def test_what_is_refused(self):
        for words, text in (
                (["--models", "vgg"], "argument --models: invalid choice: 'vgg'"),
                (["--models", "linear", "cnn", "--recipe", "full-batch"],
                 "cnn has no recipe 'full-batch': choose from default, benchmark-mnist, gentle\n"),
                (["--models", "cifar-tutorial", "--recipe", "benchmark-imagenet"],
                 "PyTorch's step is timed without average, which benchmark-imagenet of cifar-tutorial has\n"),
                (["--forms", "graph"], "argument --forms: invalid choice: 'graph'"),
                (["--batch-size", "-1"], "argument --batch-size: '-1' is not a whole number from 0"),
                (["--threads", "0"], "argument --threads: '0' is not a whole number from 1 to 1024\n"),
                (["--bench", "no/bench"], "there is no program no/bench: name it with --bench\n"),
                (["--python", "no-python"], "there is no program no-python: name it with --python\n"),
                (["--json", "no/out.json"], "no/out.json cannot be written: No such file or directory\n")):
            done = self.run_with(*words)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), done.stderr)
            self.assertTrue(done.stderr.startswith(f"versus_pytorch.py: {text}"), done.stderr)


class Figures(unittest.TestCase):
    def test_a_ratio_is_the_median_of_the_rounds(self):
        # The medians are 2, 5 and 6: they alone would give 2.5.
        times = {"cairn": [1.0, 2.0, 4.0], "compiled": [6.0, 3.0, 8.0], "eager": [5.0, 4.0, 20.0]}
        result = versus_pytorch.compared(times)
        self.assertEqual((result["pytorch_form"], result["cairn_ms"], result["pytorch_ms"]), ("eager", 2.0, 5.0))
        self.assertEqual((result["ratios"], result["ratio"]), ([5.0, 2.0, 5.0], 5.0))
        self.assertEqual(result["ratio_to"], {"compiled": 2.0, "eager": 5.0})
        self.assertEqual(result["all_ms"], times)


class Steps(unittest.TestCase):
    def test_every_network_has_a_step(self):
        trees = [ast.parse((ROOT / "comparisons/references" / name).read_text()) for name in ("networks.py", "texts.py")]
        names = {key.value for tree in trees for node in tree.body if isinstance(node, ast.Assign)
                 and getattr(node.targets[0], "id", "") in ("MODELS", "BLOCKS") for key in node.value.keys}
        self.assertTrue({"dnn", "resnet20", "imdb-gru"} <= names)
        with mock.patch.object(sys, "argv", ["versus_pytorch.py", "--bench", sys.executable]):
            arguments = versus_pytorch.parse()
        self.assertEqual(set(arguments.models), names)
        for model in names:
            recipe = versus_pytorch.recipe_of(model, arguments)
            without = recipes.left_out(recipes.RECIPES[model][recipe])
            self.assertEqual(without, ["augmentation"] if model.endswith("tutorial") else [], model)

    def test_recipes_that_are_timed(self):
        wanted = {"lenet": "default", "cifar-resnet": "playground", "cifar-vgg": "pytorch", "resnet56": "gentle",
                  "imdb-gru": "default", "imagenet-tutorial": None}
        self.assertEqual({model: recipes.timed_recipe(model) for model in wanted}, wanted)
        for name in recipes.LEFT_OUT:
            self.assertEqual(recipes.left_out({"lr": 0.1, name: 0.5}), [name])
        self.assertEqual(recipes.left_out({"augmentation": {"flip": True}, "average": 0.9}, ("augmentation",)), ["average"])

    def test_forms(self):
        self.assertEqual(step_forms.USUAL, ("eager", "compiled", "graph"))  # of the recordings and on a GPU
        self.assertNotIn("graph", step_forms.CPU)
        self.assertEqual(set(step_forms.ALL), {*step_forms.USUAL, *step_forms.CPU})


if __name__ == "__main__":
    unittest.main()
