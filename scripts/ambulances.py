"""Emergency vehicles in SUMO: who they are, what they ask for, how they fare. Wants libsumo, so sumo.py's environment."""
import os
import random
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

import libsumo

from conditions import OURS

AMBULANCE = f"{OURS}ambulance-"
GPS_ERROR_M = 4.0


class Ambulances:
    """Emergency vehicles on long routes: who they are, what they ask for, how they fare."""

    def __init__(self, scenario, count, seed, asks, bluelight):
        self.asks, self.bluelight = asks, bluelight
        self.dice = random.Random(seed)
        ways = self.ways(scenario.routes)
        if not ways:  # they only say from where to where: then the fastest ways on empty roads
            with tempfile.TemporaryDirectory() as folder:
                routed = os.path.join(folder, "ways.rou.xml")
                subprocess.run([os.path.join(sys.prefix, "bin", "duarouter"), "-n", scenario.net, "-r", ",".join(scenario.routes),
                                "-o", routed, "--ignore-errors", "--no-warnings", "--no-step-log"],
                               check=True, stdout=subprocess.DEVNULL)
                ways = self.ways([routed])
        if not ways:
            raise SystemExit(f"{scenario.name}: its route files have no routes that an ambulance could take")
        # The longest tenth of all ways, or the ten longest.
        longest = sorted(ways, key=lambda w: (-ways[w], w))[:max(10, len(ways) // 10)]
        span = scenario.end - scenario.begin
        departs = sorted(scenario.begin + span * self.dice.uniform(0.15, 0.6) for _ in range(count))
        self.plans = [(f"{AMBULANCE}{k + 1}", round(at), self.dice.choice(longest)) for k, at in enumerate(departs)]
        self.free, self.began, self.took, self.reds, self.before = {}, {}, {}, 0, {}
        self.alone = {}

    @staticmethod
    def ways(files):
        """{edges: how many}: the ways that route files tell."""
        found = {}
        for file in files:
            for _, e in ET.iterparse(file):
                edges = tuple((e.get("edges") or "").split()) if e.tag == "route" else ()
                if len(edges) > 2:
                    found[edges] = len(edges)
        return found

    def declare(self, file):
        """Writes them as a route file."""
        with open(file, "w") as f:
            f.write('<routes>\n  <vType id="greenwave-ambulance" vClass="emergency" length="6.5" speedFactor="1.2"/>\n')
            for name, depart, edges in self.plans:
                f.write(f'  <vehicle id="{name}" type="greenwave-ambulance" depart="{depart}" departLane="best">\n'
                        f'    <route edges="{" ".join(edges)}"/>\n')
                if self.bluelight:
                    f.write('    <param key="has.bluelight.device" value="true"/>\n')
                f.write("  </vehicle>\n")
            f.write("</routes>\n")
        return file

    def begin(self, network):
        """The time at the limit of each, once SUMO knows the network, and how far its import moved it."""
        node = network["nodes"][0]
        x, y = libsumo.junction.getPosition(node["id"])
        self.shift = node["x"] - x, node["y"] - y
        for name, _, edges in self.plans:
            # The first lane may be a footway or a cycle track.
            lanes = lambda edge: [f"{edge}_{lane}" for lane in range(libsumo.edge.getLaneNumber(edge))]
            drive = lambda edge: min(libsumo.lane.getLength(l) / libsumo.lane.getMaxSpeed(l) for l in lanes(edge))
            self.free[name] = sum(drive(edge) for edge in edges)

    def hear(self, now):
        """Requests and positions of this second."""
        requests, positions = [], []
        if not self.asks:
            return requests, positions
        here = set(libsumo.vehicle.getIDList())
        for name, depart, edges in self.plans:
            if depart == now:
                requests.append({"request_id": name, "at_ms": str(now * 1000), "authority": "emergency control",
                                 "vehicle_id": name, "priority_class": "PRIORITY_CLASS_AMBULANCE",
                                 "from_link_id": edges[0], "to_link_id": edges[-1], "route_link_ids": list(edges)})
            if name in here:
                x, y = libsumo.vehicle.getPosition(name)
                positions.append({"vehicle_id": name, "at_ms": str(now * 1000),
                                  "x_m": x + self.shift[0] + self.dice.gauss(0, GPS_ERROR_M),
                                  "y_m": y + self.shift[1] + self.dice.gauss(0, GPS_ERROR_M),
                                  "speed_mps": max(0.0, libsumo.vehicle.getSpeed(name)),
                                  "heading_deg": libsumo.vehicle.getAngle(name) % 360.0})
        return requests, positions

    def told(self, corridor):
        """One hears where its way leads now, and goes on along it."""
        name, way = corridor["vehicle_id"], corridor.get("route_link_ids", [])
        if corridor.get("state") != "CORRIDOR_STATE_ACTIVE" or name not in libsumo.vehicle.getIDList():
            return
        route = libsumo.vehicle.getRoute(name)
        ahead = list(route[max(0, libsumo.vehicle.getRouteIndex(name)):])
        # From inside a junction it can only go on where it is going; it hears again before long.
        if way and ahead[:1] == way[:1] and ahead != way and not libsumo.vehicle.getRoadID(name).startswith(":"):
            libsumo.vehicle.setRoute(name, way)

    def watch(self, now):
        """Who is under way, who arrived, and who has just crossed a red light."""
        here = set(libsumo.vehicle.getIDList())
        for name, depart, _ in self.plans:
            ahead = self.before.pop(name, None)
            if name in here:
                self.began.setdefault(name, depart)
                lane = libsumo.vehicle.getLaneID(name)
                if ahead:
                    signal, link, shown_before = ahead
                    # It crossed that very line if it is on the lane that leads from it through the junction.
                    beyond = {via for _, _, via in libsumo.trafficlight.getControlledLinks(signal)[link]}
                    shown = libsumo.trafficlight.getRedYellowGreenState(signal)[link]
                    self.reds += lane in beyond and shown == "r" and shown_before == "r"
                lights = libsumo.vehicle.getNextTLS(name)
                if lights and not lane.startswith(":"):
                    self.before[name] = (lights[0][0], lights[0][1], lights[0][3])
            elif name in self.began and name not in self.took:
                self.took[name] = now + 1 - self.began[name]

    def result(self, end):
        """The figures of a run; who has not arrived counts up to its end."""
        took = {name: self.took.get(name, end - depart) for name, depart, _ in self.plans}
        ratios = [took[name] / self.free[name] for name in took]
        alone = [took[name] / self.alone[name] for name in took]
        return {"times_s": list(took.values()), "free_s": [round(self.free[n], 1) for n in took],
                "alone_s": [self.alone[n] for n in took], "ratio": sum(ratios) / len(ratios),
                "ratio_alone": sum(alone) / len(alone), "arrived": len(self.took), "red_crossings": self.reds}

    def drive_alone(self, scenario, seed):
        """{name: s}: what each takes with nobody else on the roads and every lamp green."""
        with tempfile.TemporaryDirectory() as folder:
            routes = self.declare(os.path.join(folder, "ambulances.rou.xml"))
            libsumo.start(["sumo", "-n", scenario.net, "-r", routes, "-b", str(scenario.begin), "-e", str(scenario.end),
                           "--seed", str(seed), "--no-step-log", "--no-warnings"])
            for signal in libsumo.trafficlight.getIDList():
                lamps = len(libsumo.trafficlight.getRedYellowGreenState(signal))
                libsumo.trafficlight.setRedYellowGreenState(signal, "G" * lamps)
            for now in range(scenario.begin, scenario.end):
                libsumo.simulationStep()
                self.watch(now)
            libsumo.close()
        return dict(self.took)
