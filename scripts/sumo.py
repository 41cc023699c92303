#!/usr/bin/env python3
"""SUMO as an outside world for Greenwave: one scenario, one controller, one seed.

    scripts/sumo.py SCENARIO_DIR --control fixed|actuated|greenwave [--sensors full|loops|none] [--seed N] [--json]
                    [--sensor-faults none|dead|miscounting|noisy|late|all] [--demand-scale TIMES] [--close LANE@10-20]...
    scripts/sumo.py SCENARIO_DIR --ambulances N [--seed N] [--json]

SCENARIO_DIR holds scenario.json (name, begin_s, end_s, yellow_s; where the files have other names: net, routes,
additional), net.net.xml and routes.rou.xml. With --control greenwave every second's detector counts go to
`greenwave lockstep` and only its published plans set the lamps; what SUMO then shows is compared with the plan's own
timeline every second. SUMO runs with --time-to-teleport -1, so that a jam stays a jam.

With --ambulances N the scenario runs four times under Greenwave, everything else equal: without any ambulance; with N
of them that set out at random times on long routes and wait as everybody does; with N that ask for a green wave; and
with N that ask for none and carry SUMO's bluelight device, which runs reds. No ambulance overtakes but by SUMO's own
lane changing. ratio: an ambulance's time over that at the limit, without signals and traffic, the ways through junctions not
counted; ratio_alone: over what it takes with nobody else on the roads and every lamp green, as fast as it may drive, its
start, its curves and the ways through junctions included; delay, delay_alone: all their time beyond each of these over that
of those that wait, less one; others: delay of everybody else over that of the first run, less one.

--sensor-faults: a fifth of the sensors dead; a tenth that miss half of all vehicles; a fifth of all vehicles missed by each and as
many counted twice; all 5 s late; or all of it at once. --close: a vehicle breaks down in the middle of a lane; it is not one of
those counted.

Needs Python 3.9 or newer; SUMO itself comes from PyPI into .cache/sumo on the first run. GREENWAVE names the binary
(default: target/release/greenwave, built if it is missing).

index: the delay index that the engine estimates from the sensors against the truth, SUMO's own account of every edge (time
spent over distance / limit, the way through a junction counted to the edge behind it; queues outside the network, which no
sensor sees, left out): of the whole network, and of each link that at least 50 vehicles left.

counts.stuck: vehicles that have stood for 300 s or more at the end; 10 of them make a run gridlocked.

all.delay, s a vehicle: (sum of timeLoss + departDelay over every vehicle that entered, finished or not, + sum of
(end - scheduled departure) over those that never did) / vehicles scheduled in the window.
"""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".cache", "sumo")
PINNED = ["eclipse-sumo==1.28.0", "libsumo==1.28.0"]


def in_venv():
    """Makes the virtual environment once and runs this script again inside it."""
    python = os.path.join(VENV, "bin", "python3")
    if sys.prefix == VENV:
        return
    if not os.path.exists(os.path.join(VENV, "complete")):
        print(f"installing {' '.join(PINNED)} into {VENV} (once)", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
        subprocess.run([python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", *PINNED], check=True)
        open(os.path.join(VENV, "complete"), "w").close()
    os.execv(python, [python, os.path.abspath(__file__), *sys.argv[1:]])


if __name__ == "__main__":
    in_venv()

import argparse
import copy
import json
import tempfile
import time
import xml.etree.ElementTree as ET

import libsumo

from ambulances import Ambulances
from conditions import BREAKDOWN, FAULTS, OURS, Closure, Faults, scale, scaled
from lockstep import Engine, Timeline, binary

STANDING_MPS = 0.1
STUCK_S = 300
GRIDLOCK = 10
INDEX_EVERY_S = 300
JUDGED_VEHICLES = 50
# Who a lane has to let in to be one of a network file's.
VEHICLES = {"passenger", "truck", "bus", "tram", "bicycle", "emergency", "rail_urban", "rail", "rail_electric",
            "rail_fast", "subway", "cable_car"}


class Scenario:
    """What scenario.json says, with paths made absolute."""

    def __init__(self, folder):
        with open(os.path.join(folder, "scenario.json")) as f:
            s = json.load(f)
        path = lambda name: os.path.join(os.path.abspath(folder), name)
        self.name = s.get("name", os.path.basename(folder))
        self.begin, self.end = int(s["begin_s"]), int(s["end_s"])
        self.yellow = s.get("yellow_s")
        self.net = path(s.get("net", "net.net.xml"))
        self.routes = [path(r) for r in s.get("routes", ["routes.rou.xml"])]
        self.additional = [path(a) for a in s.get("additional", [])]

    def sumo(self, seed, tripinfo, statistics, additional, routes=()):
        """SUMO's arguments."""
        every = self.additional + additional
        return ["sumo", "-n", self.net, "-r", ",".join([*self.routes, *routes]), "-b", str(self.begin), "-e", str(self.end),
                "--seed", str(seed), "--time-to-teleport", "-1", "--no-step-log", "--no-warnings",
                "--tripinfo-output", tripinfo, "--tripinfo-output.write-unfinished",
                "--tripinfo-output.write-undeparted", "--statistic-output", statistics,
                *(["-a", ",".join(every)] if every else [])]

    def programs(self):
        """{signal: (offset, [(duration, state)])}: of each signal the program that SUMO runs, the last one loaded."""
        found = {}
        for file in [self.net, *self.additional]:
            for _, e in ET.iterparse(file):
                if e.tag == "tlLogic":
                    phases = [(float(p.get("duration")), p.get("state")) for p in e.findall("phase")]
                    found[e.get("id")] = (e.get("offset", "0"), phases)
        return found

    def demand(self):
        """[(vehicle, scheduled departure, tag)] of every vehicle and trip in the route files."""
        found = []
        for file in self.routes:
            for _, e in ET.iterparse(file):
                if e.tag in ("vehicle", "trip"):
                    depart = e.get("depart")
                    found.append((e.get("id"), float(depart) if depart[0].isdigit() else self.begin, e.tag))
                    e.clear()
        return found


def actuated(scenario, file):
    """SUMO's own actuated control: each program declared again with green phases of 5 to 50 s, gap 3 s."""
    with open(file, "w") as f:
        f.write("<additional>\n")
        for signal, (offset, phases) in scenario.programs().items():
            f.write(f'  <tlLogic id="{signal}" type="actuated" programID="actuated" offset="{offset}">\n')
            for duration, state in phases:
                green = "y" not in state and "g" in state.lower()
                bounds = ' minDur="5" maxDur="50"' if green else ""
                f.write(f'    <phase duration="{duration:g}" state="{state}"{bounds}/>\n')
            f.write('    <param key="max-gap" value="3.0"/>\n    <param key="detector-gap" value="1.0"/>\n  </tlLogic>\n')
        f.write("</additional>\n")
    return file


def metrics(scenario, tripinfo, statistics):
    """Every figure of a run that is over, all vehicles counted."""
    rows = []
    for _, e in ET.iterparse(tripinfo):
        if e.tag == "tripinfo" and not e.get("id").startswith(OURS):
            rows.append({k: float(e.get(k)) for k in ("depart", "arrival", "duration", "timeLoss", "waitingTime", "departDelay")}
                        | {"id": e.get("id")})
            e.clear()
    demand = scenario.demand()
    scheduled = {v: t for v, t, _ in demand if scenario.begin <= t < scenario.end}
    entered = [r for r in rows if r["depart"] >= 0]
    arrived = [r for r in rows if r["arrival"] >= 0]
    seen = {r["id"] for r in entered}
    outside = [t for v, t in scheduled.items() if v not in seen]
    delay = sum(r["timeLoss"] + r["departDelay"] for r in entered)
    everyone = len(entered) + len(outside)
    # RESCO's own arithmetic forgets whoever was to depart before the last one that did and could not.
    last = max(entered, key=lambda r: r["depart"], default=None)
    last_scheduled = next((t for v, t, _ in demand if last and v == last["id"]), scenario.begin)
    never = [t for _, t, tag in demand if tag == "vehicle" and t > last_scheduled]
    mean = lambda key, some: sum(r[key] for r in some) / len(some) if some else None
    root = ET.parse(statistics).getroot()
    count = lambda tag, key: int(float(root.find(tag).get(key))) if root.find(tag) is not None else None
    return {
        "all": {"delay": (delay + sum(scenario.end - t for t in outside)) / max(1, everyone), "n": everyone,
                "arrived_share": len(arrived) / max(1, everyone)},
        "resco": {"delay": (delay + sum(scenario.end - t for t in never)) / max(1, len(entered) + len(never)),
                  "duration": mean("duration", entered), "waitingTime": mean("waitingTime", entered)},
        "departed": {"duration": mean("duration", entered), "waitingTime": mean("waitingTime", entered),
                     "timeLoss": mean("timeLoss", entered), "departDelay": mean("departDelay", entered)},
        "counts": {"scheduled": len(scheduled), "departed": len(entered), "arrived": len(arrived),
                   "running": len(entered) - len(arrived), "undeparted": len(outside),
                   "teleports": count("teleports", "total"), "collisions": count("safety", "collisions"),
                   "emergency_stops": count("safety", "emergencyStops")},
    }


def stuck():
    """Vehicles that have not moved for long."""
    every = (v for v in libsumo.vehicle.getIDList() if not v.startswith(BREAKDOWN))
    return sum(libsumo.vehicle.getWaitingTime(v) >= STUCK_S for v in every)


class Truth:
    """What SUMO itself knows of every edge: time spent and time at the limit."""

    def __init__(self, scenario, network, file):
        self.file = file
        self.limit = {link["id"]: link["speed_mps"] for link in network["links"]}
        # An edge inside a junction belongs to the one that it leads to, by way of others at times.
        then = {}
        for _, e in ET.iterparse(scenario.net):
            if e.tag == "connection" and e.get("from").startswith(":"):
                then[e.get("from")] = e.get("to")
        self.behind = {}
        for edge in then:
            to = then[edge]
            while to.startswith(":") and to in then:
                to = then[to]
            self.behind[edge] = to

    def declare(self, scenario, file):
        """Asks SUMO for its account."""
        with open(file, "w") as f:
            f.write(f'<additional>\n  <edgeData id="truth" file="{self.file}" begin="{scenario.begin}" end="{scenario.end}" '
                    'withInternal="true" excludeEmpty="true"/>\n</additional>\n')
        return file

    def links(self):
        """{link: [time spent, time at the limit, vehicles that left]}, once SUMO is closed."""
        found = {}
        for _, e in ET.iterparse(self.file):
            if e.tag != "edge":
                continue
            link = self.behind.get(e.get("id"), e.get("id"))
            if link in self.limit:
                spent = float(e.get("sampledSeconds"))
                row = found.setdefault(link, [0.0, 0.0, 0])
                row[0] += spent
                row[1] += spent * float(e.get("speed", 0.0)) / self.limit[link]
                if link == e.get("id"):
                    row[2] += int(float(e.get("left"))) + int(float(e.get("arrived")))
        return found


def index_errors(estimated, truth, watched):
    """How near the estimated index comes to the true one; {} where nothing was estimated."""
    ratio = lambda row: max(1.0, row[0] / row[1])
    total = lambda rows: [sum(r[k] for r in rows) for k in (0, 1)]
    if not any(row[1] > 0 for row in estimated.values()):
        return {}
    everything = ratio(total(estimated.values())), ratio(total(truth.values()))

    def judge(links):
        errors = [ratio(estimated[l]) / ratio(truth[l]) - 1 if estimated.get(l, (0, 0))[1] > 0 else -1.0 for l in links]
        within = lambda limit: sum(abs(e) <= limit for e in errors) / len(errors) if errors else None
        return {"n": len(errors), "within_10": within(0.10), "within_15": within(0.15),
                "mean_error": sum(errors) / len(errors) if errors else None}

    judged = [l for l, row in truth.items() if row[2] >= JUDGED_VEHICLES and row[1] > 0]
    return {"network": {"estimate": everything[0], "truth": everything[1], "error": everything[0] / everything[1] - 1},
            "links": judge(judged), "watched_links": judge([l for l in judged if l in watched])}


# ---- Greenwave as the controller


class Controller(Timeline):
    """One signal's controller: shows in SUMO what its plan says, second by second."""

    LETTERS = {"ASPECT_RED": "r", "ASPECT_YELLOW": "y", "ASPECT_GREEN": "G"}

    def __init__(self, info, junction):
        # A group is named after the link indices it stands for.
        self.links = {g["group_id"]: [int(k) for k in g["group_id"].split(",") if k.isdigit()] for g in info["groups"]}
        self.on_red = {g["id"] for g in junction["groups"] if g.get("turn_on_red")}
        self.yields = {}
        for c in junction.get("conflicts", []):
            if c["kind"] == "yields":
                self.yields.setdefault(c["a"], set()).add(c["b"])
        shown = libsumo.trafficlight.getRedYellowGreenState(info["junction_id"])
        letter = lambda links: next((shown[k] for k in links if k < len(shown)), "r")
        aspect = lambda c: "ASPECT_GREEN" if c in "Gg" else "ASPECT_YELLOW" if c in "yu" else "ASPECT_RED"
        super().__init__(info, {g: aspect(letter(links)) for g, links in self.links.items()})
        self.state = list(shown)

    def show(self, now_ms):
        """Sets SUMO's lamps to what the plan says for the second that begins now."""
        self.advance(now_ms)
        green = self.green()
        for group, aspect in self.aspects.items():
            letter = self.LETTERS[aspect]
            if letter == "G" and self.yields.get(group, set()) & green:
                letter = "g"
            if letter == "r" and group in self.on_red:
                letter = "s"
            for link in self.links[group]:
                if link < len(self.state):
                    self.state[link] = letter
        libsumo.trafficlight.setRedYellowGreenState(self.id, "".join(self.state))

    def shows_its_plan(self):
        """Whether SUMO's lamps are those of the plan."""
        return libsumo.trafficlight.getRedYellowGreenState(self.id) == "".join(self.state)


class Detectors:
    """Loops and cameras where sensors.json has them, reporting counts and nothing else."""

    def __init__(self, network, sensors):
        lanes = {link["id"]: len(link["lanes"]) for link in network["links"]}
        self.loops, self.cameras = [], []
        for s in sensors["sensors"]:
            edge, count = s["link"], lanes[s["link"]]
            lane = lambda k: self.vehicle_lanes(edge)[k]
            if s["kind"] == "loop":
                self.loops.append((s["id"], lane(s["lane"]), s["distance_m"]))
            else:
                view = [(lane(k), libsumo.lane.getLength(lane(k)) - s.get("distance_m", 0) - s["range_m"]) for k in range(count)]
                self.cameras.append((s["id"], view))

    @staticmethod
    def vehicle_lanes(edge):
        """The lanes of an edge that `network import` keeps, from the kerb: netconvert numbers them so on either side."""
        every = [f"{edge}_{k}" for k in range(libsumo.edge.getLaneNumber(edge))]
        def used(lane):
            allowed = libsumo.lane.getAllowed(lane)
            return not allowed or bool(VEHICLES & set(allowed))
        return [lane for lane in every if used(lane)]

    @staticmethod
    def declare(network, sensors, file, net):
        """Writes SUMO's induction loops; they have to be there before it starts."""
        lengths = {e.get("id"): float(e.get("length")) for _, e in ET.iterparse(net) if e.tag == "lane"}
        allowed = {}
        for _, e in ET.iterparse(net):
            if e.tag == "edge" and e.get("function") != "internal":
                allowed[e.get("id")] = [l.get("id") for l in e.findall("lane")
                                        if VEHICLES & set((l.get("allow") or "passenger").split())]
        with open(file, "w") as f:
            f.write("<additional>\n")
            for number, s in enumerate(sensors["sensors"]):
                if s["kind"] == "loop":
                    lanes = allowed[s["link"]]
                    lane = lanes[s["lane"]]
                    at = max(0.0, lengths[lane] - s["distance_m"] - 0.1)
                    f.write(f'  <inductionLoop id="greenwave{number}" lane="{lane}" pos="{at:.2f}" period="3600" file="NUL"/>\n')
            f.write("</additional>\n")
        return file

    def number(self, sensors):
        """The SUMO names of the loops, in the order of self.loops."""
        self.names = [f"greenwave{number}" for number, s in enumerate(sensors["sensors"]) if s["kind"] == "loop"]
        return self

    def read(self, now):
        """One batch: what every sensor saw in the last second."""
        counts, occupancies = [], []
        for name in self.names:
            entered = sum(1 for v in libsumo.inductionloop.getVehicleData(name) if now - 1 < v[2] <= now)
            counts.append(entered)
            occupancies.append(round(libsumo.inductionloop.getLastStepOccupancy(name) / 100, 3))
        vehicles, queues = [], []
        for _, view in self.cameras:
            for lane, begin in view:
                inside = [v for v in libsumo.lane.getLastStepVehicleIDs(lane) if libsumo.vehicle.getLanePosition(v) >= begin]
                vehicles.append(len(inside))
                queues.append(sum(libsumo.vehicle.getSpeed(v) < STANDING_MPS for v in inside))
        return {"end_ms": str(now * 1000), "interval_ms": 1000,
                "loops": {"sensor_ids": [i for i, _, _ in self.loops], "counts": counts,
                          "occupancies": [min(1.0, o) for o in occupancies]},
                "cameras": {"sensor_ids": [i for i, _ in self.cameras], "lane_counts": [len(v) for _, v in self.cameras],
                            "vehicles": vehicles, "queues": queues}}


def greenwave(scenario, args, folder, start):
    """Runs the scenario under Greenwave; returns what it did beside the traffic's own figures."""
    path = lambda name: os.path.join(folder, name)
    call = lambda *a: subprocess.run([args.binary, *a], check=True, stdout=sys.stderr)
    additional = [x for a in scenario.additional for x in ("--additional", a)]
    call("network", "import", "sumo", scenario.net, *additional, "-o", path("network.json"))
    with open(path("network.json")) as f:
        network = json.load(f)
    sensors = {"format": "greenwave-sensors/1", "sensors": []}
    if args.sensors != "none":
        call("network", "sensors", path("network.json"), "--layout", args.sensors, "-o", path("sensors.json"))
        with open(path("sensors.json")) as f:
            sensors = json.load(f)
    else:
        with open(path("sensors.json"), "w") as f:
            json.dump(sensors, f)
    limits = {"benchmark": True, "decision_grid_s": 1.0, "min_green_s": 5.0}
    if scenario.yellow is not None:
        limits |= {"yellow_s": scenario.yellow, "all_red_s": 0.0}
    with open(path("limits.json"), "w") as f:
        json.dump(limits, f)
    truth = Truth(scenario, network, path("edges.xml"))
    start([Detectors.declare(network, sensors, path("loops.add.xml"), scenario.net), truth.declare(scenario, path("edges.add.xml"))])
    fleet = args.fleet
    if fleet:
        fleet.begin(network)
    record = ["--record", args.record] if args.record else []
    config = ["--config", args.config] if args.config else []
    engine = Engine(args.binary, ["--network", path("network.json"), "--sensors", path("sensors.json"),
                                  "--limits", path("limits.json"), *config, *record], {"index_every_s": INDEX_EVERY_S})
    junctions = {j["id"]: j for j in network["junctions"]}
    controllers = {j["junction_id"]: Controller(j, junctions[j["junction_id"]]) for j in engine.hello.get("junctions", [])}
    detectors = Detectors(network, sensors).number(sensors)
    faults = Faults(args.sensor_faults, [s["id"] for s in sensors["sensors"]], args.seed)
    tally = {"published": 0, "refused": 0, "not_accepted": 0, "wrong_lamps": 0}
    index = {}

    def book(report):
        if "link_id" in report:
            spent, free = index.get(report["link_id"], (0.0, 0.0))
            index[report["link_id"]] = (spent + (report.get("spent_veh_s") or 0.0), free + (report.get("free_flow_veh_s") or 0.0))

    for now in range(scenario.begin, scenario.end):
        now_ms = now * 1000
        status = [c.status(now_ms) for c in controllers.values() if c.news or now % 10 == 0]
        tick = {"t_ms": str(now_ms), "readings": {"batches": faults.tell(detectors.read(now))}, "status": status}
        if fleet:
            tick["requests"], tick["positions"] = fleet.hear(now)
        for output in engine.tick(tick):
            if "plan" in output:
                plan = output["plan"]
                tally["published"] += 1
                tally["not_accepted"] += not controllers[plan["junction_id"]].accept(plan)
            elif "plan_refused" in output:
                tally["refused"] += 1
            elif "index" in output:
                book(output["index"])
            elif "corridor" in output and fleet:
                fleet.told(output["corridor"])
        for c in controllers.values():
            c.show(now_ms)
        step(scenario, args, now)
        if fleet:
            fleet.watch(now)
        tally["wrong_lamps"] += sum(not c.shows_its_plan() for c in controllers.values())
    # The last interval of the index ends with the run.
    last = {"t_ms": str(scenario.end * 1000), "readings": {"batches": faults.tell(detectors.read(scenario.end))}}
    for output in engine.tick(last):
        if "index" in output:
            book(output["index"])
    engine.close()
    watched = {s["link"] for s in sensors["sensors"]}
    return ({"plans": tally, "limits": limits} | ({"ambulances": fleet.result(scenario.end)} if fleet else {}),
            lambda: index_errors(index, truth.links(), watched))


def step(scenario, args, now):
    """Lets the second pass that begins now."""
    for closure in args.close:
        closure.act(libsumo, now - scenario.begin)
    libsumo.simulationStep()


def run(scenario, args):
    """One run to its end; every figure of it."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        scenario = copy.copy(scenario)
        scenario.routes = scaled(scenario.routes, args.demand_scale, args.seed, folder)

        def start(additional):
            routes = [args.fleet.declare(path("ambulances.rou.xml"))] if args.fleet else []
            libsumo.start(scenario.sumo(args.seed, path("trips.xml"), path("statistics.xml"), additional, routes))

        extra, index = {}, None
        if args.control == "greenwave":
            extra, index = greenwave(scenario, args, folder, start)
        else:
            start([actuated(scenario, path("actuated.add.xml"))] if args.control == "actuated" else [])
            for now in range(scenario.begin, scenario.end):
                step(scenario, args, now)
        standing = stuck()
        libsumo.close()
        result = metrics(scenario, path("trips.xml"), path("statistics.xml"))
        result["counts"] |= {"stuck": standing, "gridlocked": standing >= GRIDLOCK}
        if index:
            extra["index"] = index()
    return result | {"scenario": scenario.name, "control": args.control, "seed": args.seed,
                     "sensors": args.sensors if args.control == "greenwave" else None,
                     "conditions": {"sensor_faults": args.sensor_faults, "demand_scale": args.demand_scale,
                                    "close": [closure.text for closure in args.close]},
                     "wall_s": round(time.monotonic() - began, 1), **extra}


def compare(scenario, args):
    """The four runs of --ambulances, and what they say of one another."""
    alone = Ambulances(scenario, args.ambulances, args.seed, False, False).drive_alone(scenario, args.seed)
    runs = {}
    for name, count, asks, bluelight in [("without", 0, False, False), ("waiting", args.ambulances, False, False),
                                         ("green_wave", args.ambulances, True, False),
                                         ("bluelight", args.ambulances, False, True)]:
        args.fleet = Ambulances(scenario, count, args.seed, asks, bluelight) if count else None
        if args.fleet:
            args.fleet.alone = alone
        runs[name] = run(scenario, args)
    total = lambda r: r["all"]["delay"] * r["all"]["n"]
    delay = lambda r, free: sum(t - f for t, f in zip(r["ambulances"]["times_s"], r["ambulances"][free]))
    less = lambda free: delay(wave, free) / max(1.0, delay(waiting, free)) - 1
    time_of = lambda r: sum(r["ambulances"]["times_s"])
    waiting, wave, blue = (runs[k] for k in ("waiting", "green_wave", "bluelight"))
    return {"scenario": scenario.name, "seed": args.seed, "sensors": args.sensors, "runs": runs, "compare": {
        "delay": less("free_s"), "delay_alone": less("alone_s"), "time_over_bluelight": time_of(wave) / time_of(blue),
        "others": total(wave) / max(1.0, total(runs["without"])) - 1,
        "others_bluelight": total(blue) / max(1.0, total(runs["without"])) - 1}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], epilog=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", help="folder with scenario.json")
    parser.add_argument("--control", choices=["fixed", "actuated", "greenwave"], default="greenwave")
    parser.add_argument("--sensors", choices=["full", "loops", "none"], default="full")
    parser.add_argument("--seed", type=int, default=1, help="SUMO's random seed")
    parser.add_argument("--sensor-faults", choices=list(FAULTS), default="none", help="what is wrong with the sensors")
    parser.add_argument("--demand-scale", type=scale, default=1.0, metavar="TIMES", help="every trip is made so many times on average")
    parser.add_argument("--close", type=Closure, action="append", default=[], metavar="LANE@FROM-UNTIL",
                        help="a vehicle breaks down in the middle of this lane, from one minute of the run until another")
    parser.add_argument("--ambulances", type=int, metavar="N",
                        help="compare green waves for so many ambulances with none and with SUMO's bluelight device")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    parser.add_argument("--config", help="engine configuration, TOML")
    parser.add_argument("--record", help="write the engine's event log here")
    args = parser.parse_args()
    scenario = Scenario(args.scenario)
    args.binary = binary() if args.control == "greenwave" else None
    args.fleet = None
    if args.ambulances is not None:
        if args.ambulances < 1 or args.control != "greenwave":
            parser.error("--ambulances wants one at least, and --control greenwave")
        result = compare(scenario, args)
        if args.json:
            print(json.dumps(result))
            return
        print(f"{scenario.name} seed {args.seed}: {args.ambulances} ambulances")
        for name, one in result["runs"].items():
            a = one.get("ambulances")
            told = (f"ratio {a['ratio']:.2f}, {a['ratio_alone']:.2f} of its time alone, {a['arrived']} arrived, "
                    f"{a['red_crossings']} red lights") if a else "none"
            print(f"  {name.replace('_', ' '):12}{told}; everybody else's delay {one['all']['delay']:.1f} s")
        c = result["compare"]
        print(f"  green wave: delay {100 * c['delay']:+.0f} %, beyond its time alone {100 * c['delay_alone']:+.0f} %, "
              f"{c['time_over_bluelight']:.2f} of bluelight's time, others {100 * c['others']:+.1f} % "
              f"(bluelight {100 * c['others_bluelight']:+.1f} %)")
        return
    result = run(scenario, args)
    if args.json:
        print(json.dumps(result))
        return
    a, c = result["all"], result["counts"]
    print(f"{scenario.name} {args.control} seed {args.seed}: delay {a['delay']:.1f} s a vehicle "
          f"(RESCO's arithmetic {result['resco']['delay']:.1f}); {c['arrived']} of {c['scheduled']} arrived, "
          f"{c['undeparted']} never entered, {c['teleports']} teleports, {c['stuck']} stuck; {result['wall_s']} s")
    for key, value in result.get("plans", {}).items():
        print(f"  {key.replace('_', ' ')}: {value}")
    if result.get("limits"):
        print("  limits: " + ", ".join(f"{k} {v}" for k, v in result["limits"].items()))
    if result.get("index"):
        whole, links = result["index"]["network"], result["index"]["links"]
        print(f"  delay index {whole['estimate']:.2f} as estimated, {whole['truth']:.2f} in truth; "
              f"{100 * (links['within_15'] or 0):.0f} % of {links['n']} links within 15 %")


if __name__ == "__main__":
    main()
