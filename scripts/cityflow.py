#!/usr/bin/env python3
"""CityFlow as an outside world for Greenwave, under the protocols of the papers that use it.

    scripts/cityflow.py DATA_DIR --interval 30|15|10|5|1 --yellow 5|2 --stages 4|8 [--lane-change on|off] [--min-green S] [--json]

DATA_DIR holds roadnet.json and flow.json. Every second's detector counts go to `greenwave lockstep`: a loop in each lane at
the stop line, 60 m upstream and 40 m behind the start of the road, and a camera on the last 200 m of every approach; what the
papers' controllers are told is where everybody is. Only its published plans set the lights.

The protocol: a light phase begins only at multiples of --interval, and before it phase 0, in which nobody goes but who always
may, is shown for --yellow seconds; --stages 4 are the first four phases after it, 8 all of them. P30 is --interval 30
--yellow 5 --stages 4, P15 the same at 15, P5 --interval 5 --yellow 2 --stages 8 --lane-change off. What is left of an interval
is the shortest green, where nothing is left one interval: the protocols prescribe no other. A street asks for 5 s or more:
--min-green. No longest red is prescribed. These limits go to the engine as a limits file, and are printed. Where two phases
share a movement the engine would let it go on through the change; phase 0 holds it: those seconds are counted.

Needs a Python that can import cityflow, and runs under it. GREENWAVE names the binary (default: target/release/greenwave,
built if it is missing).

att_paper     s; per vehicle the time on the entering lanes of signalled intersections, those still there up to the end; mean.
att_cityflow  s; per vehicle created, from then to its arrival or the end, waiting outside included; mean.
aql           vehicles waiting on all entering lanes, mean over t = 30, 60, ...
awt           s; how long those who then stand have stood on their lane; mean of the means.
throughput    vehicles that left; never_entered: that found no room to begin.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# This file has the name of the module that it needs.
sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != HERE]
try:
    import cityflow
except ImportError:
    sys.exit(f"{sys.executable} cannot import cityflow; build it from its sources and run this script under the Python it is in")
sys.path.insert(0, HERE)
from lockstep import Engine, Timeline, binary

STANDING_MPS = 0.1
SAMPLE_S = 30
MAX_RED_S = 900.0


class Sampler:
    """Where everybody is, second by second, and the papers' figures of it."""

    def __init__(self, engine, net):
        self.engine = engine
        signalled = {i["id"] for i in net["intersections"] if not i["virtual"]}
        self.junction = {f'{r["id"]}_{k}': r["endIntersection"] for r in net["roads"] for k in range(len(r["lanes"]))
                         if r["endIntersection"] in signalled}
        self.lane, self.distance, self.speed = {}, {}, {}
        self.before = ({}, {})
        self.visits, self.stood = {}, {}
        self.queues, self.waits = [], []

    def look(self, now):
        """Reads what the last second has come to."""
        self.before = (self.lane, self.distance)
        # A vehicle that changes lanes is on the new one as well, as its own shadow.
        self.lane = {v: lane for lane, some in self.engine.get_lane_vehicles().items() for v in some
                     if not v.endswith("shadow")}
        self.distance, self.speed = self.engine.get_vehicle_distance(), self.engine.get_vehicle_speed()
        for v, lane in self.lane.items():
            junction = self.junction.get(lane)
            if junction and self.junction.get(self.before[0].get(v)) != junction:
                self.visits.setdefault((v, junction), [now, None])
        for v, lane in self.before[0].items():
            junction = self.junction.get(lane)
            if junction and self.junction.get(self.lane.get(v)) != junction:
                self.visits[v, junction][1] = now
        stood = {}
        for v, speed in self.speed.items():
            if speed < STANDING_MPS:
                lane = self.lane.get(v)
                last = self.stood.get(v)
                stood[v] = (lane, last[1] + 1 if last and last[0] == lane else 1)
        self.stood = stood
        if now and now % SAMPLE_S == 0:
            waiting = self.engine.get_lane_waiting_vehicle_count()
            self.queues.append(sum(waiting[lane] for lane in self.junction))
            self.waits.append(sum(s for _, s in stood.values()) / max(1, len(stood)))

    def metrics(self, now, flow):
        """Every figure at the end."""
        mean = lambda some: sum(some) / len(some) if some else None
        spent = {}
        for (v, _), (entered, left) in self.visits.items():
            spent[v] = spent.get(v, 0) + (now if left is None else left) - entered
        created = 0
        for f in flow:
            last = f["startTime"] if f["endTime"] < 0 else min(f["endTime"], now - 1)
            created += max(0, int((last - f["startTime"]) // max(f["interval"], 1e-9)) + 1) if f["startTime"] < now else 0
        left_behind = len(self.engine.get_vehicles(include_waiting=True))
        inside = len(self.engine.get_vehicles(include_waiting=False))
        return {"att_paper": mean(list(spent.values())), "att_cityflow": self.engine.get_average_travel_time(),
                "aql": mean(self.queues), "awt": mean(self.waits), "throughput": created - left_behind,
                "never_entered": left_behind - inside, "created": created, "in_network": inside}


class Detectors:
    """Loops and cameras where sensors.json has them, reporting counts and nothing else."""

    def __init__(self, net, flow, network, sensors, sampler):
        self.sampler = sampler
        # A vehicle is called flow_<row>_<number>.
        self.vehicle_m = [f["vehicle"]["length"] for f in flow]
        lanes = {r["id"]: len(r["lanes"]) for r in net["roads"]}
        to_line = {link["id"]: link["length_m"] for link in network["links"]}
        # CityFlow numbers lanes from the middle of the road.
        name = lambda link, lane: f"{link}_{lanes[link] - 1 - lane}"
        self.line = {name(link, lane): to_line[link] for link, count in lanes.items() for lane in range(count)}
        self.loops, self.cameras, self.at = [], [], {}
        self.loops_of = {}
        for s in sensors["sensors"]:
            upstream = to_line[s["link"]] - s.get("distance_m", 0.0)
            if s["kind"] == "loop":
                self.loops_of.setdefault(name(s["link"], s["lane"]), []).append((len(self.loops), upstream))
                self.loops.append(s["id"])
            else:
                self.cameras.append((s["id"], [(name(s["link"], k), upstream - s["range_m"]) for k in range(lanes[s["link"]])]))

    def read(self, now_ms):
        """One batch: what every sensor saw in the last second."""
        counts, covered = [0] * len(self.loops), [0.0] * len(self.loops)
        before, self.at, seen = self.at, {}, {}
        for v, distance in self.sampler.distance.items():
            lane, (last, start) = self.sampler.lane.get(v), before.get(v, (None, 0.0))
            if lane is not None:
                seen.setdefault(lane, []).append((distance, self.sampler.speed[v] < STANDING_MPS))
            elif last is not None:
                # Inside the junction it is beyond its stop line by as much.
                lane, distance = last, self.line[last] + distance
            else:
                continue
            self.at[v] = lane, distance
            if last is None or last.rsplit("_", 1)[0] != lane.rsplit("_", 1)[0]:
                start = 0.0
            for loop, at in self.loops_of.get(lane, ()):
                end = at + self.vehicle_m[int(v.split("_")[1])]
                if start <= at < distance:
                    counts[loop] += 1
                if distance > start:
                    covered[loop] += max(0.0, min(distance, end) - max(start, at)) / (distance - start)
                else:
                    covered[loop] += at < distance < end
        vehicles, queues = [], []
        for _, view in self.cameras:
            for lane, begin in view:
                inside = [stands for at, stands in seen.get(lane, ()) if at >= begin]
                vehicles.append(len(inside))
                queues.append(sum(inside))
        return {"end_ms": str(now_ms), "interval_ms": 1000,
                "loops": {"sensor_ids": self.loops, "counts": counts, "occupancies": [min(1.0, o) for o in covered]},
                "cameras": {"sensor_ids": [i for i, _ in self.cameras], "lane_counts": [len(v) for _, v in self.cameras],
                            "vehicles": vehicles, "queues": queues}}


class Light:
    """One intersection's light: shows the phase that the plan's lamps are, and phase 0 while they are none."""

    def __init__(self, engine, info, intersection):
        self.engine, self.shown = engine, 1
        phases = [{str(k) for k in p["availableRoadLinks"]} for p in intersection["trafficLight"]["lightphases"]]
        self.green = phases
        self.phase_of = {}
        for k, green in enumerate(phases):
            self.phase_of.setdefault(frozenset(green), k)
        aspect = lambda g: "ASPECT_GREEN" if g in phases[1] else "ASPECT_RED"
        self.timeline = Timeline(info, {g["group_id"]: aspect(g["group_id"]) for g in info["groups"]})
        engine.set_tl_phase(info["junction_id"], 1)

    def show(self, now_ms):
        """Sets the phase for the second that begins now; the groups that are green in the plan and not here."""
        self.timeline.advance(now_ms)
        green = self.timeline.green()
        self.shown = self.phase_of.get(frozenset(green), 0)
        self.engine.set_tl_phase(self.timeline.id, self.shown)
        if self.green[self.shown] - green:
            raise SystemExit(f"{self.timeline.id}: phase {self.shown} shows more than the plan")
        return len(green - self.green[self.shown])


def protocol(args):
    """The limits that the protocol sets, as the engine's limits file has them."""
    left = args.interval - args.yellow if args.interval > args.yellow else args.interval
    green = left if args.min_green is None else args.min_green
    return {"benchmark": True, "decision_grid_s": float(args.interval), "yellow_s": float(args.yellow), "all_red_s": 0.0,
            "min_green_s": float(green), "max_red_s": MAX_RED_S, "stages": [str(k) for k in range(1, args.stages + 1)]}


def run(args):
    """One run to its end; every figure of it."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        read = lambda name: json.load(open(name, encoding="utf-8"))

        def write(name, what):
            with open(path(name), "w", encoding="utf-8") as f:
                json.dump(what, f)
            return path(name)

        data = os.path.join(os.path.abspath(args.data), "")
        net, flow = read(data + "roadnet.json"), read(data + "flow.json")
        call = lambda *a: subprocess.run([args.binary, *a], check=True, stdout=sys.stderr)
        call("network", "import", "cityflow", data + "roadnet.json", "-o", path("network.json"))
        call("network", "sensors", path("network.json"), "--layout", "entries", "-o", path("sensors.json"))
        limits = protocol(args)
        world = cityflow.Engine(write("cityflow.json", {
            "interval": 1.0, "seed": args.seed, "dir": data, "roadnetFile": "roadnet.json", "flowFile": "flow.json",
            "rlTrafficLight": True, "laneChange": args.lane_change == "on", "saveReplay": False,
            "roadnetLogFile": "roadnet.log", "replayLogFile": "replay.log"}), thread_num=1)
        record = ["--record", args.record] if args.record else []
        config = ["--config", args.config] if args.config else []
        engine = Engine(args.binary, ["--network", path("network.json"), "--sensors", path("sensors.json"),
                                      "--limits", write("limits.json", limits), *config, *record])
        intersections = {i["id"]: i for i in net["intersections"]}
        lights = {j["junction_id"]: Light(world, j, intersections[j["junction_id"]]) for j in engine.hello.get("junctions", [])}
        sampler = Sampler(world, net)
        detectors = Detectors(net, flow, read(path("network.json")), read(path("sensors.json")), sampler)
        tally = {"published": 0, "refused": 0, "not_accepted": 0, "held_by_phase_0_s": 0}
        sampler.look(0)
        for now in range(args.seconds):
            now_ms = now * 1000
            status = [l.timeline.status(now_ms) for l in lights.values() if l.timeline.news or now % 10 == 0]
            tick = {"t_ms": str(now_ms), "readings": {"batches": [detectors.read(now_ms)]}, "status": status}
            for output in engine.tick(tick):
                if "plan" in output:
                    tally["published"] += 1
                    tally["not_accepted"] += not lights[output["plan"]["junction_id"]].timeline.accept(output["plan"])
                elif "plan_refused" in output:
                    tally["refused"] += 1
            tally["held_by_phase_0_s"] += sum(light.show(now_ms) for light in lights.values())
            world.next_step()
            sampler.look(now + 1)
        engine.close()
        result = sampler.metrics(args.seconds, flow)
    return result | {"data": os.path.basename(data.rstrip(os.sep)), "interval": args.interval, "yellow": args.yellow,
                     "stages": args.stages, "lane_change": args.lane_change, "seed": args.seed,
                     "wall_s": round(time.monotonic() - began, 1), "plans": tally, "limits": limits}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], epilog=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="folder with roadnet.json and flow.json")
    parser.add_argument("--interval", type=int, choices=[30, 15, 10, 5, 1], default=30, help="seconds between decisions")
    parser.add_argument("--yellow", type=int, choices=[5, 2], default=5, help="seconds of phase 0 before a phase")
    parser.add_argument("--stages", type=int, choices=[4, 8], default=4, help="the first so many phases after phase 0")
    parser.add_argument("--lane-change", choices=["on", "off"], default="on", help="whether CityFlow's drivers change lanes")
    parser.add_argument("--min-green", type=float, help="shortest green, s (default: what is left of an interval, or one)")
    parser.add_argument("--seconds", type=int, default=3600, help="how long a run takes")
    parser.add_argument("--seed", type=int, default=0, help="CityFlow's random seed")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    parser.add_argument("--config", help="engine configuration, TOML")
    parser.add_argument("--record", help="write the engine's event log here")
    args = parser.parse_args()
    args.binary = binary()
    result = run(args)
    if args.json:
        print(json.dumps(result))
        return
    print(f"{result['data']} every {args.interval} s, yellow {args.yellow} s, {args.stages} stages, lane change {args.lane_change}: "
          f"att_paper {result['att_paper']:.1f} s, att_cityflow {result['att_cityflow']:.1f} s, aql {result['aql']:.1f}, "
          f"awt {result['awt']:.1f} s, throughput {result['throughput']} of {result['created']}, "
          f"never_entered {result['never_entered']}; {result['wall_s']} s")
    print("  limits: " + ", ".join(f"{k} {v}" for k, v in result["limits"].items()))
    for key, value in result["plans"].items():
        print(f"  {key.replace('_', ' ')}: {value}")


if __name__ == "__main__":
    main()
