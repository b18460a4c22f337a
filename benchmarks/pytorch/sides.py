"""Processes that are timed in turns: Cairn's step (`bench step --turns`) and PyTorch's (benchmarks/pytorch/turns.py).

Each answers a line on standard input with a line of JSON; whoever is not asked waits and uses no GPU, and no CPU where it
is stopped between its turns. Not here: which steps (benchmarks/gpu/steps.py, benchmarks/versus_pytorch.py).
"""
import json
import math
import os
import select
import signal
import subprocess
import time


class OutOfTime(Exception):
    """The budget is spent."""


class Failed(Exception):
    """What a side said, in one line."""


class Side:
    """One process. A side that cannot start or dies raises Failed with its last words. stopped: it stands still between its
    answers, threads that wait actively too."""

    def __init__(self, command, log, environment, deadline=math.inf, stopped=False):
        self.command = [str(word) for word in command]
        self.log = log
        self.stopped = stopped
        self.deadline = deadline  # of time.monotonic()
        self.pending = b""
        try:
            with open(log, "wb") as errors:
                self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                                                env=environment, start_new_session=True)
        except OSError as problem:
            raise Failed(f"{self.command[0]} cannot be started: {problem.strerror}") from None

    def start(self):
        """The first line, which it says on its own."""
        return self.answer()

    def ask(self, request):
        try:
            if self.stopped:
                os.killpg(self.process.pid, signal.SIGCONT)
            self.process.stdin.write((request + "\n").encode())
            self.process.stdin.flush()
        except OSError:
            raise Failed(self.last_words()) from None
        return self.answer()

    def answer(self):
        answer = self.line()
        if self.stopped:
            os.killpg(self.process.pid, signal.SIGSTOP)
        return answer

    def line(self):
        while b"\n" not in self.pending:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise OutOfTime()
            ready, _, _ = select.select([self.process.stdout], [], [], min(left, 3600))
            if not ready:
                raise OutOfTime()
            piece = os.read(self.process.stdout.fileno(), 1 << 16)
            if not piece:
                raise Failed(self.last_words())
            self.pending += piece
        text, self.pending = self.pending.split(b"\n", 1)
        try:
            return json.loads(text)
        except ValueError:
            raise Failed(f"it printed {text[:80]!r}, which is not JSON") from None

    def last_words(self):
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            pass
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1][:300] if lines else f"it ended with exit code {self.process.poll()} and said nothing"

    def close(self):
        """May be called again."""
        if self.process.stdin.closed:
            return
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        try:
            self.process.stdin.close()
        except OSError:  # what it was not there to read any more
            pass
        self.process.stdout.close()


def take_turns(askers, rounds):
    """askers: name -> function that gives one figure. Lists of figures by name; the order turns round each round."""
    figures = {name: [] for name in askers}
    names = list(askers)
    for number in range(rounds):
        for name in names if number % 2 == 0 else names[::-1]:
            figures[name].append(askers[name]())
    return figures
