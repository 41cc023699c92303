"""`greenwave lockstep` as a child process, for worlds that drive it second by second."""
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def binary():
    """The binary: GREENWAVE, or else target/release/greenwave, built if it is missing."""
    path = os.environ.get("GREENWAVE", os.path.join(ROOT, "target", "release", "greenwave"))
    if not os.path.exists(path):
        subprocess.run(["cargo", "build", "--release", "--bin", "greenwave"], cwd=ROOT, check=True, stdout=sys.stderr)
    return path


class Engine:
    """One run of the engine."""

    def __init__(self, program, arguments, settings=None):
        """`settings` of the engine take precedence over those of a configuration file."""
        environment = os.environ | {f"GREENWAVE_ENGINE__{k.upper()}": str(v) for k, v in (settings or {}).items()}
        self.process = subprocess.Popen([program, "lockstep", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1 << 20, env=environment)
        self.hello = self.read()["hello"]

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"greenwave ended with exit code {self.process.wait()}")
        return json.loads(line)

    def tick(self, message):
        """Sends one tick; yields what the engine says about it."""
        self.process.stdin.write(json.dumps({"tick": message}) + "\n")
        self.process.stdin.flush()
        while True:
            answer = self.read()
            if "error" in answer:
                raise SystemExit(f"greenwave did not understand: {answer['error']}")
            if "tick_done" in answer:
                return
            yield answer["output"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


class Timeline:
    """What one signal's groups show under the plans it has taken on, second by second."""

    def __init__(self, info, aspects):
        self.id = info["junction_id"]
        self.groups = [g["group_id"] for g in info["groups"]]
        self.aspects = aspects
        self.revision, self.ahead = 0, []
        self.news = True

    def accept(self, plan):
        """Takes a plan on if it continues the one that runs; True if so."""
        self.news = True
        if int(plan.get("base_revision", 0)) != self.revision:
            return False
        self.revision = int(plan["revision"])
        start = int(plan.get("effective_from_ms", 0))
        # What the plan before would have begun until this one counts still does.
        before = [change for change in self.ahead if change[0] < start]
        self.ahead = before + sorted((start + after, timeline["group_id"], aspect) for timeline in plan.get("lamps", [])
                            for after, aspect in zip(timeline.get("after_ms", []), timeline.get("aspects", [])))
        return True

    def advance(self, now_ms):
        """Goes on to the second that begins now."""
        while self.ahead and self.ahead[0][0] <= now_ms:
            _, group, aspect = self.ahead.pop(0)
            self.aspects[group] = aspect

    def green(self):
        """The groups that are green."""
        return {g for g, a in self.aspects.items() if a == "ASPECT_GREEN"}

    def status(self, now_ms):
        """What it reports, when there is something new."""
        self.news = False
        return {"junction_id": self.id, "at_ms": str(now_ms), "running_revision": str(self.revision),
                "mode": "CONTROLLER_MODE_REMOTE",
                "lamps": [{"group_id": g, "aspect": a} for g, a in self.aspects.items()]}
