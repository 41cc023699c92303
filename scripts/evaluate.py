"""What the controller reaches in other people's worlds and in its own, as a page of Markdown and a plot.

A SUMO scenario is any folder with scenario.json, a network and routes (see scripts/sumo.py); a CityFlow one any folder with
roadnet.json and flow.json. Every run's figures are kept in --runs as JSON; --resume takes up the runs that are there.
"""
import argparse
import datetime
import json
import os
import shlex
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed

from conditions import FAULTS
from lockstep import ROOT, binary
from plot import strips

SCRIPTS = os.path.join(ROOT, "scripts")
SENSORS = ["full", "loops", "none"]
PROTOCOLS = [("P30, 4 stages", "--interval 30 --yellow 5 --stages 4"), ("P30, 8 stages", "--interval 30 --yellow 5 --stages 8"),
             ("P15, 8 stages", "--interval 15 --yellow 5 --stages 8"),
             ("P5", "--interval 5 --yellow 2 --stages 8 --lane-change off"),
             ("1 s, yellow 2", "--interval 1 --yellow 2 --stages 8 --lane-change off"),
             ("1 s, yellow 5", "--interval 1 --yellow 5 --stages 8 --lane-change off"),
             ("1 s, yellow 2, green 5 s", "--interval 1 --yellow 2 --stages 8 --lane-change off --min-green 5"),
             ("1 s, yellow 5, green 5 s", "--interval 1 --yellow 5 --stages 8 --lane-change off --min-green 5")]


class Run:
    """One program to run: what it is, and what came of it."""

    def __init__(self, world, scenario, control, seed, command, cost=1):
        self.world, self.scenario, self.control, self.seed, self.command, self.cost = world, scenario, control, seed, command, cost
        self.result, self.failure = None, None

    def file(self, folder):
        name = "-".join([self.world, self.scenario, self.control, str(self.seed)])
        return os.path.join(folder, "".join(c if c.isalnum() or c in "-._" else "_" for c in name) + ".json")

    def carry_out(self, folder, resume):
        """Runs it, unless its figures are there; a run that fails is told and left out."""
        file = self.file(folder)
        if not (resume and os.path.exists(file)):
            done = subprocess.run(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                self.failure = (done.stderr.strip().splitlines() or ["no word of it"])[-1]
                return self
            with open(file, "w", encoding="utf-8") as f:
                f.write(done.stdout)
        with open(file, encoding="utf-8") as f:
            self.result = json.load(f)
        return self

    def figure(self):
        """The one that counts."""
        if self.world == "sumo":
            return self.result["all"]["delay"]
        return self.result["att_paper"] if self.world == "cityflow" else self.result["greenwave"]["delay_index"]


def planned(args):
    """Every run of the evaluation."""
    runs = []
    for folder in args.sumo:
        name = scenario_name(folder)
        sumo = [os.path.join(SCRIPTS, "sumo.py"), folder, "--json"]
        for seed in range(1, args.seeds + 1):
            for control in ["fixed", "actuated"]:
                runs.append(Run("sumo", name, control, seed, [*sumo, "--control", control, "--seed", str(seed)]))
            for sensors in SENSORS:
                runs.append(Run("sumo", name, sensors, seed, [*sumo, "--sensors", sensors, "--seed", str(seed)], 5))
        for seed in range(1, args.fault_seeds + 1):
            for which in broken():
                command = [*sumo, "--sensor-faults", which, "--seed", str(seed)]
                runs.append(Run("sumo", name, faulty(which), seed, command, 5))
        for seed in range(args.seeds + 1, args.gridlock_seeds + 1):
            runs.append(Run("sumo", name, "full", seed, [*sumo, "--seed", str(seed)], 5))
    for folder in args.cityflow:
        name = os.path.basename(os.path.abspath(folder))
        for protocol, options in PROTOCOLS:
            for seed in range(1, args.seeds + 1):
                command = [args.python, os.path.join(SCRIPTS, "cityflow.py"), folder, *options.split(), "--seed", str(seed), "--json"]
                runs.append(Run("cityflow", name, protocol, seed, command, 5))
    for seed in range(1, args.seeds + 1) if args.demo else []:
        runs.append(Run("twin", "demo", "greenwave", seed, [binary(), "demo", "--no-cockpit", "--json", "--seed", str(seed)], 10))
    return runs


def broken():
    """What may be wrong with sensors."""
    return [which for which in FAULTS if which != "none"]


def faulty(which):
    """Greenwave with sensors full of which something is wrong, as a control."""
    return f"full, {which}"


def scenario_name(folder):
    with open(os.path.join(folder, "scenario.json"), encoding="utf-8") as f:
        return json.load(f).get("name", os.path.basename(os.path.abspath(folder)))


def carry_out(runs, args):
    """All of them, the longest first, with progress."""
    os.makedirs(args.runs, exist_ok=True)
    with ThreadPoolExecutor(args.jobs) as pool:
        waiting = [pool.submit(r.carry_out, args.runs, args.resume) for r in sorted(runs, key=lambda r: -r.cost)]
        for count, done in enumerate(as_completed(waiting), 1):
            r = done.result()
            told = f"failed: {r.failure}" if r.failure else f"{r.figure():.2f}"
            print(f"[{count}/{len(runs)}] {r.world} {r.scenario} {r.control} seed {r.seed}: {told}", file=sys.stderr, flush=True)


def spread(values, digits=1):
    """Median (mean ± standard deviation)."""
    if not values:
        return "–"
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return (f"**{statistics.median(values):.{digits}f}** ({statistics.mean(values):.{digits}f} ± "
            f"{statistics.stdev(values):.{digits}f})")


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def percent(share):
    return "–" if share is None else f"{100 * share:.0f} %"


def against(runs, sound):
    """The median of runs, and by how much it is more than that of the same seeds with sound sensors."""
    pairs = [(r.figure(), sound[r.seed]) for r in runs if r.seed in sound]
    if not pairs:
        return "–"
    ours, theirs = (statistics.median(values) for values in zip(*pairs))
    return f"{ours:.1f} ({100 * (ours / theirs - 1):+.0f} %)"


def sumo_part(runs, published):
    """The SUMO scenarios: delay, RESCO's arithmetic, the index, safety."""
    names = list(dict.fromkeys(r.scenario for r in runs))
    of = lambda name, control: [r for r in runs if (r.scenario, r.control) == (name, control) and r.result]
    delays, jams, faults, resco, index, plans = [], [], [], [], [], []
    for name in names:
        kinds = ["fixed", "actuated", *SENSORS]
        delays.append([name] + [spread([r.figure() for r in of(name, k)]) for k in kinds])
        jams.append([name] + [f"{sum(r.result['counts']['gridlocked'] for r in of(name, k))} of {len(of(name, k))}" for k in kinds]
                    + [max((r.result["counts"]["undeparted"] for r in of(name, "full")), default=0)])
        sound = {r.seed: r.figure() for r in of(name, "full")}
        if any(of(name, faulty(which)) for which in broken()):
            seeds = {r.seed for which in broken() for r in of(name, faulty(which))}
            faults.append([name, spread([delay for seed, delay in sound.items() if seed in seeds])]
                          + [against(of(name, faulty(which)), sound) for which in broken()])
        ours = spread([r.result["resco"]["delay"] for r in of(name, "full")])
        resco.append([name, ours] + published["rows"].get(name, ["–"] * len(published["columns"])))
        for k in ["full", "loops"]:
            told = [r.result["index"] for r in of(name, k) if r.result.get("index")]
            mean = lambda get: statistics.mean(get(i) for i in told) if told else None
            if told:
                index.append([name, k, f"{mean(lambda i: i['network']['truth']):.2f}", f"{mean(lambda i: i['network']['estimate']):.2f}",
                              f"{100 * mean(lambda i: abs(i['network']['error'])):.0f} %",
                              round(mean(lambda i: i["links"]["n"])), percent(mean(lambda i: i["links"]["within_15"] or 0)),
                              round(mean(lambda i: i["watched_links"]["n"])), percent(mean(lambda i: i["watched_links"]["within_15"] or 0))])
        engine = [r.result for k in [*SENSORS, *map(faulty, broken())] for r in of(name, k)]
        total = lambda key: sum(r["plans"][key] for r in engine)
        limits = engine[0]["limits"] if engine else {}
        plans.append([name, total("published"), total("refused"), total("not_accepted"), total("wrong_lamps"),
                      ", ".join(f"{k} {v:g}" for k, v in limits.items() if k != "benchmark")])
    return "\n".join([
        "## SUMO\n",
        "Delay of all vehicles, s: time lost and waited outside, of everyone scheduled, those who never entered up to the end. Median "
        "(mean ± standard deviation) over seeds. *fixed*: the network's own program; *actuated*: SUMO's own, 5 to 50 s, detector "
        "gap 1 s. Greenwave hears counts alone: *full* is loops at the stop line and 60 m upstream and a camera over the last 200 m, "
        "*loops* the loops alone, *none* nothing, so that the imported program runs.\n",
        table(["scenario", "fixed", "actuated", "Greenwave, full", "loops", "none"], delays),
        "Gridlocked runs (10 vehicles or more have stood still for 300 s at the end), and the most vehicles that had not entered at "
        "the end of a run with sensors *full*:\n",
        table(["scenario", "fixed", "actuated", "Greenwave, full", "loops", "none", "outside"], jams),
        "Delay with sensors *full* of which something is wrong, median and change against sound ones: a fifth dead; a tenth that miss "
        "half of all vehicles; a fifth of all vehicles missed and as many counted twice; all 5 s late; all of that at once:\n\n"
        + table(["scenario", "sound", *broken()], faults) if faults else "",
        f"In RESCO's arithmetic, which forgets vehicles queued outside, beside published figures ({published['source']}). SUMO's "
        "version and insertion differ from theirs:\n",
        table(["scenario", "Greenwave, full", *published["columns"]], resco),
        "The delay index as estimated from the sensors against SUMO's own account; links that at least 50 vehicles left, all of "
        "them and those with a sensor, by the share that is within 15 % of the truth:\n",
        table(["scenario", "sensors", "truth", "estimate", "error", "links", "within 15 %", "with sensors", "within 15 %"], index),
        "Plans over all runs, how many the gate refused (the running plan went on), how many a controller declined, seconds in which a "
        "lamp differed from its plan, and the limits in force:\n",
        table(["scenario", "published", "refused", "declined", "wrong lamps", "limits"], plans)])


def cityflow_part(runs, published):
    """CityFlow, protocol by protocol."""
    parts = []
    for name in dict.fromkeys(r.scenario for r in runs):
        rows = []
        for protocol, options in PROTOCOLS:
            some = [r.result for r in runs if (r.scenario, r.control) == (name, protocol) and r.result]
            if not some:
                continue
            known = published["rows"].get(name, {}).get(protocol, [])
            best = min(known, key=lambda row: row[1], default=None)
            mean = lambda key: statistics.mean(r[key] for r in some)
            rows.append([protocol, spread([r["att_paper"] for r in some]), f"{best[1]} ({best[0]})" if best else "–",
                         f"{mean('att_cityflow'):.1f}", f"{mean('aql'):.1f}", f"{mean('awt'):.1f}",
                         f"{mean('throughput'):.0f} of {some[0]['created']}", f"{mean('never_entered'):.0f}", f"`{options}`"])
        others = "; ".join(f"{p}: " + ", ".join(f"{who} {att}" for who, att in known)
                           for p, known in published["rows"].get(name, {}).items())
        parts.append(f"### {name}\n\n" + table(["protocol", "att_paper, s", "best published", "att_cityflow, s", "aql", "awt, s",
                                                "throughput", "never entered", "options"], rows)
                     + (f"\nPublished ({published['source']}): {others}.\n" if others else ""))
    return ("## CityFlow\n\nSensors are those of *full* and a loop in each lane 40 m behind the start of its road.\n\n"
            + "\n".join(parts))


def twin_part(runs):
    """The demo."""
    done = sorted((r for r in runs if r.result), key=lambda r: r.seed)
    rows = []
    for r in done:
        fixed, ours = r.result["fixed"], r.result["greenwave"]
        fall = 1 - (ours["delay_index"] - 1) / (fixed["delay_index"] - 1)
        rows.append([r.seed, f"{fixed['delay_index']:.2f}", f"{ours['delay_index']:.2f}", f"{100 * fall:+.0f} %",
                     f"{fixed['mean_travel_time_s']:.0f}", f"{ours['mean_travel_time_s']:.0f}", fixed["arrived"], ours["arrived"],
                     r.result["plans"]["unsafe"]])
    return "\n".join(["## The twin city\n",
                      "`greenwave demo`: an hour of a morning peak under a fixed plan made for that very demand, then under Greenwave. *less*: by "
                      "how much the delay index's excess over 1 fell. *unsafe*: faults that the lamp oracle saw.\n",
                      table(["seed", "index, fixed", "index, Greenwave", "less", "mean travel time, fixed, s", "Greenwave, s",
                             "arrived, fixed", "Greenwave", "unsafe"], rows)])


def page(runs, args):
    """The whole page."""
    with open(os.path.join(SCRIPTS, "published.json"), encoding="utf-8") as f:
        published = json.load(f)
    of = lambda world: [r for r in runs if r.world == world]
    version = subprocess.run([binary(), "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()
    # Where things lie on this machine is nobody's business.
    words = [os.path.basename(os.path.abspath(w)) if os.sep in w else w for w in sys.argv[1:]]
    seeds = f"seeds 1 to {args.seeds}" if args.seeds > 1 else "seed 1"
    if args.gridlock_seeds > args.seeds:
        seeds += f"; to {args.gridlock_seeds} with sensors *full*"
    parts = ["# Evaluation\n",
             f"Measured on {datetime.date.today().isoformat()} with {version} ({seeds}) by\n\n"
             f"```\nscripts/evaluate.sh {shlex.join(words)}\n```\n",
             f"![all-vehicle delay by scenario and control]({os.path.basename(plot_of(args.out))})\n" if of("sumo") else "",
             sumo_part(of("sumo"), published["sumo"]) if of("sumo") else "",
             cityflow_part(of("cityflow"), published["cityflow"]) if of("cityflow") else "",
             twin_part(of("twin")) if of("twin") else ""]
    failed = [f"- {r.world} {r.scenario} {r.control} seed {r.seed}: {r.failure}" for r in runs if r.failure]
    if failed:
        parts.append("## Runs that failed\n\n" + "\n".join(failed) + "\n")
    return "\n".join(p for p in parts if p)


def plot_of(out):
    return os.path.splitext(out)[0] + ".svg"


def main():
    parser = argparse.ArgumentParser(prog="scripts/evaluate.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="so many runs of everything, with seeds 1, 2, ...")
    parser.add_argument("--gridlock-seeds", type=int, default=0, help="so many of SUMO's runs with sensors full")
    parser.add_argument("--fault-seeds", type=int, default=0, help="so many of SUMO's runs with sensors full for each kind of fault")
    parser.add_argument("--sumo", action="append", default=[], metavar="DIR", help="a SUMO scenario; may be given again")
    parser.add_argument("--cityflow", action="append", default=[], metavar="DIR", help="a CityFlow one; may be given again")
    parser.add_argument("--python", default=sys.executable, help="a Python that can import cityflow")
    parser.add_argument("--no-demo", dest="demo", action="store_false", help="leave the twin city out")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs side by side")
    parser.add_argument("--runs", default=os.path.join(ROOT, "target", "evaluation"), metavar="DIR", help="where runs are kept")
    parser.add_argument("--resume", action="store_true", help="take up what runs of before left there")
    parser.add_argument("--out", default=os.path.join(ROOT, "docs", "evaluation.md"), metavar="FILE", help="the page; its plot beside it")
    args = parser.parse_args()
    if "GREENWAVE" not in os.environ:
        subprocess.run(["cargo", "build", "--locked", "--release", "--bin", "greenwave"], cwd=ROOT, check=True, stdout=sys.stderr)
    if args.cityflow and subprocess.run([args.python, "-c", "import cityflow"], stderr=subprocess.DEVNULL).returncode != 0:
        print(f"{args.python} cannot import cityflow: left out", file=sys.stderr)
        args.cityflow = []
    runs = planned(args)
    if any(r.world == "sumo" for r in runs):
        # The first run installs SUMO; two at once would get in each other's way.
        subprocess.run([os.path.join(SCRIPTS, "sumo.py"), "--help"], check=True, stdout=subprocess.DEVNULL)
    carry_out(runs, args)
    os.makedirs(os.path.dirname(os.path.abspath(args.out)), exist_ok=True)
    with open(args.out, "w", encoding="utf-8") as f:
        f.write(page(runs, args))
    sumo = [r for r in runs if r.world == "sumo" and r.result]
    if sumo:
        panels = {}
        for r in (r for r in sumo if r.control in ["fixed", "actuated", *SENSORS]):
            panels.setdefault(r.scenario, {}).setdefault(r.control, []).append(r.figure())
        with open(plot_of(args.out), "w", encoding="utf-8") as f:
            f.write(strips(panels, "delay of all vehicles, s a vehicle; a dot a seed, a line the median",
                           {"full": "Greenwave, full", "loops": "Greenwave, loops", "none": "Greenwave, none"}, strong="full"))
    print(args.out)
    sys.exit(any(r.failure for r in runs))


if __name__ == "__main__":
    main()
