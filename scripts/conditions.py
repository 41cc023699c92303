"""Under which conditions SUMO runs: how much traffic there is, what is wrong with the sensors, what stands in the way.

Faults of sensors and the scale of demand mean what they mean to `greenwave simulate`, whose --help says more. What stands in the
way is a vehicle that has broken down, not a closed lane.
"""
import argparse
import copy
import os
import random
import re
import xml.etree.ElementTree as ET
from collections import deque

# Names of vehicles that are none of the scenario's begin so.
OURS = "greenwave-"
BREAKDOWN = f"{OURS}breakdown-"
LATE_S = 5
# What share of the sensors is dead, misses half of all vehicles, tells late; what share of vehicles each of the others misses,
# and counts twice.
FAULTS = {"none": (0.0, 0.0, 0.0, 0.0), "dead": (0.2, 0.0, 0.0, 0.0), "miscounting": (0.0, 0.1, 0.0, 0.0),
          "noisy": (0.0, 0.0, 0.0, 0.2), "late": (0.0, 0.0, 1.0, 0.0), "all": (0.2, 0.1, 0.7, 0.2)}


class Faults:
    """What sensors say, each with its own faults, of what they saw."""

    def __init__(self, which, sensor_ids, seed):
        dead, halves, late, self.error = FAULTS[which]
        self.sound = which == "none"
        self.dice = {name: random.Random(f"{seed} {name}") for name in sensor_ids}
        draws = {name: dice.random() for name, dice in self.dice.items()}
        within = lambda low, share: {name for name, draw in draws.items() if low <= draw < low + share}
        self.dead, self.halves, self.late = within(0, dead), within(dead, halves), within(dead + halves, late)
        self.waiting = deque()

    def count(self, sensor, vehicles):
        """How many of so many vehicles a sensor counts."""
        missed, twice = (0.5, 0.0) if sensor in self.halves else (self.error, self.error)
        dice = self.dice[sensor]
        draws = [dice.random() for _ in range(vehicles)] if missed + twice > 0 else []
        return vehicles - sum(d < missed for d in draws) + sum(missed <= d < missed + twice for d in draws)

    def tell(self, batch):
        """The batches that arrive in the second in which `batch` is what all saw."""
        if self.sound:
            return [batch]
        empty = {"end_ms": batch["end_ms"], "interval_ms": batch["interval_ms"],
                 "loops": {"sensor_ids": [], "counts": [], "occupancies": []},
                 "cameras": {"sensor_ids": [], "lane_counts": [], "vehicles": [], "queues": []}}
        prompt, late = copy.deepcopy(empty), copy.deepcopy(empty)
        of = lambda sensor, kind: (late if sensor in self.late else prompt)[kind]
        loops, cameras = batch["loops"], batch["cameras"]
        for sensor, count, occupancy in zip(loops["sensor_ids"], loops["counts"], loops["occupancies"]):
            if sensor not in self.dead:
                told = of(sensor, "loops")
                told["sensor_ids"].append(sensor)
                told["counts"].append(self.count(sensor, count))
                told["occupancies"].append(occupancy)
        seen = iter(zip(cameras["vehicles"], cameras["queues"]))
        for sensor, lanes in zip(cameras["sensor_ids"], cameras["lane_counts"]):
            lanes = [next(seen) for _ in range(lanes)]
            if sensor not in self.dead:
                told = of(sensor, "cameras")
                told["sensor_ids"].append(sensor)
                told["lane_counts"].append(len(lanes))
                for vehicles, queue in lanes:
                    queued = self.count(sensor, queue)
                    told["vehicles"].append(queued + self.count(sensor, vehicles - queue))
                    told["queues"].append(queued)
        self.waiting.append(late)
        return [prompt] + ([self.waiting.popleft()] if len(self.waiting) > LATE_S else [])


def scale(text):
    """How many times every trip is made, as an argument says it."""
    if not re.fullmatch(r"[0-9.]+", text) or not 0.1 <= float(text) <= 2:
        raise argparse.ArgumentTypeError(f"{text}: a number from 0.1 to 2 is wanted")
    return float(text)


def scaled(routes, times, seed, folder):
    """The route files, with every trip made so many times on average."""
    if times == 1:
        return routes
    dice, files = random.Random(f"{seed} demand"), []
    for number, file in enumerate(routes):
        tree = ET.parse(file)
        root = tree.getroot()
        for place in reversed(range(len(root))):
            trip = root[place]
            if trip.tag in ("flow", "person", "personFlow"):
                raise SystemExit(f"{file}: a {trip.tag} cannot be scaled, only vehicles and trips")
            if trip.tag in ("vehicle", "trip"):
                root.remove(trip)
                for again in range(int(times) + (dice.random() < times % 1)):
                    twin = copy.deepcopy(trip)
                    twin.set("id", trip.get("id") + (f".again{again}" if again else ""))
                    root.insert(place + again, twin)
        files.append(os.path.join(folder, f"scaled{number}.rou.xml"))
        tree.write(files[-1])
    return files


class Closure:
    """A vehicle that breaks down in the middle of a lane, for some minutes of a run: LANE@10-20, SUMO's own name of the lane."""

    def __init__(self, text):
        place = re.fullmatch(r"(.+)_(\d+)@(\d+)-(\d+)", text)
        if not place or int(place[3]) >= int(place[4]):
            raise argparse.ArgumentTypeError(f"{text}: LANE@FROM-UNTIL is wanted, in minutes of the run, such as road1_0@10-20")
        self.text, self.edge, self.lane, self.begin_s, self.end_s = text, place[1], int(place[2]), 60 * int(place[3]), 60 * int(place[4])

    def act(self, sumo, second):
        """Lets it break down when its time has come, `second` seconds into the run."""
        if second == 0 and f"{self.edge}_{self.lane}" not in sumo.lane.getIDList():
            raise SystemExit(f"{self.text}: the network has no lane {self.edge}_{self.lane}")
        if second != self.begin_s:
            return
        name = f"{BREAKDOWN}{self.text}"
        middle = sumo.lane.getLength(f"{self.edge}_{self.lane}") / 2
        sumo.route.add(name, [self.edge])
        sumo.vehicle.add(name, name, departLane=str(self.lane), departPos=f"{middle:.2f}", departSpeed="0")
        sumo.vehicle.setStop(name, self.edge, pos=middle + 1, laneIndex=self.lane, duration=self.end_s - self.begin_s)
