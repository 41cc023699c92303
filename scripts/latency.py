#!/usr/bin/env python3
"""How long after a tick's instant its plans can be read: p50, p95, p99 and the worst.

    greenwave tail plans --json | scripts/latency.py [SECONDS]

A live street's readings of an instant are written at that instant (`greenwave feed --rate 1x` does so), so this is the time
from a reading to the plan that heeds it, the lateness allowance included.
"""
import json
import sys
import time

limit = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
took, began = [], time.time()
for line in sys.stdin:
    now = time.time()
    took.append(now * 1000 - int(json.loads(line)["made_at_ms"]))
    if now - began > limit:
        break
took.sort()
if not took:
    sys.exit("no plan in %g s" % limit)
at = lambda share: took[min(len(took) - 1, int(share * len(took)))]
print("%d plans in %.0f s: p50 %.0f ms, p95 %.0f ms, p99 %.0f ms, worst %.0f ms"
      % (len(took), time.time() - began, at(0.5), at(0.95), at(0.99), took[-1]))
