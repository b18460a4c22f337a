"""The list of what was checked: runs commands within the budget, and writes the results after every one of them.

Not here: what is checked (tests.py, ladders.py, steps.py, recipes.py, profiles.py).
"""
import concurrent.futures
import datetime
import json
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

from pytorch.sides import OutOfTime

SKIPPED = 77  # a test binary's exit code when it had nothing to run on
PASSED, FAILED, NOT_RUN, IDLE = "passed", "FAILED", "NOT RUN", "skipped"
LEAST_SECONDS = 3  # left of the budget, to begin something
KEPT_CHARACTERS = 3000  # of a failed command's output, from its beginning and from its end


def excerpt(log):
    text = log.read_text(errors="replace") if log and log.exists() else ""
    if len(text) <= 2 * KEPT_CHARACTERS:
        return text
    return text[:KEPT_CHARACTERS] + "\n[...]\n" + text[-KEPT_CHARACTERS:]


class Checks:
    """One run. rows: dictionaries with check, part, result, detail, seconds, command and, where figures came, data."""

    def __init__(self, file, header, environment, logs, limit_seconds, budget_seconds):
        self.file, self.header, self.environment, self.logs = Path(file), header, environment, Path(logs)
        self.limit_seconds = limit_seconds
        self.budget_seconds = budget_seconds
        self.end = time.monotonic() + budget_seconds
        self.rows = []
        self.part = ""
        self.lock = threading.Lock()
        self.commands = 0
        self.log_of = {}  # the newest of each command

    # ---- the record ----

    def add(self, name, result, detail="", seconds=0.0, command=None, **more):
        row = {"check": name, "part": self.part, "result": result, "detail": detail, "seconds": round(seconds, 2),
               "command": command and [str(word) for word in command], **more}
        if result == FAILED and command:
            row["output"] = excerpt(self.log_of.get(tuple(command)))
        with self.lock:
            self.rows.append(row)
            print(f"{result:8}{seconds:9.1f} s  {name}" + (f": {detail}" if detail else ""), flush=True)
            self.write()
        return row

    def write(self, finished=False):
        """Whole or not at all: a reader never sees half of it, whenever this process ends."""
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        text = json.dumps({**self.header, "written": now, "finished": finished, "checks": self.rows}, indent=1)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        draft = self.file.with_name(self.file.name + ".part")
        draft.write_text(text + "\n")
        os.replace(draft, self.file)

    # ---- the budget ----

    def left(self):
        return self.end - time.monotonic()

    def not_run(self, name, why=None, **more):
        return self.add(name, NOT_RUN, why or f"the budget of {self.budget_seconds / 60:g} minutes was spent", **more)

    def together(self, jobs):
        """Calls functions at the same time where there are processors for it: only for what is not timed."""
        workers = max(1, min(4, (os.cpu_count() or 1) // 4))
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(job) for job in jobs]:
                done.result()

    # ---- commands ----

    def run(self, command, extra_environment=None):
        """With its output in a log; gives the exit code (None: not done in its time), one line on a failure, the
        output and the time. Raises OutOfTime where the budget does not let it begin or end."""
        with self.lock:
            self.commands += 1
            log = self.log_of[tuple(command)] = self.logs / f"{self.commands:03}-{Path(command[0]).name}.log"
        left = self.left()
        if left < LEAST_SECONDS:
            raise OutOfTime()
        limit = min(self.limit_seconds, left)
        environment = {**self.environment, **(extra_environment or {})}
        started = time.monotonic()
        with open(log, "wb") as out:
            try:
                code = self.wait([str(word) for word in command], out, environment, limit)
                detail = f"exit code {code}, see {log}" if code else ""
                if code < 0:
                    detail = f"killed by {signal.Signals(-code).name}, see {log}"
                    if -code == signal.SIGILL:
                        detail += " (built for another CPU? configure with -DCAIRN_NATIVE=OFF)"
            except subprocess.TimeoutExpired:
                if limit < self.limit_seconds:
                    raise OutOfTime() from None
                code, detail = None, f"not done after {self.limit_seconds:g} s, see {log}"
            except OSError as error:
                code, detail = None, str(error)
        return code, detail, log.read_text(errors="replace"), time.monotonic() - started

    def wait(self, command, out, environment, limit):
        """The exit code. What does not end is killed with all that it started."""
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                   env=environment, cwd=self.logs, start_new_session=True)
        try:
            return process.wait(limit)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise

    def test(self, name, command, must_run, extra_environment=None):
        try:
            code, detail, text, seconds = self.run(command, extra_environment)
        except OutOfTime:
            return self.not_run(name, command=command)
        result = PASSED if code == 0 else IDLE if code == SKIPPED and not must_run else FAILED
        if code == SKIPPED:
            detail = "it had nothing to run on"
        summary = re.findall(r"^\[doctest\] (?:test cases|assertions): .*$", text, re.M)
        if result == PASSED and summary:
            detail = re.sub(r"\s+", " ", summary[0].split(":", 1)[1]).strip()
        return self.add(name, result, detail, seconds, command)

    def json_of(self, name, command, **more):
        """What the last line of its output says, and the time; None after a failure, which is in the list then."""
        try:
            code, detail, text, seconds = self.run(command)
        except OutOfTime:
            self.not_run(name, command=command)
            return None
        lines = text.strip().splitlines()
        try:
            report = json.loads(lines[-1]) if code == 0 and lines else None
        except ValueError:
            report, detail = None, "its last line is not JSON"
        if not isinstance(report, dict):
            self.add(name, FAILED, detail or "it printed nothing", seconds, command, **more)
            return None
        return report, seconds
