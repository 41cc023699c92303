// Pictures of time: the trend of an index, a junction's stages, a corridor in time and space.
import uPlot from "uplot";
import { el, local_s, span, svg, time } from "./dom";
import { GREEN, STAGES } from "./palette";
import type { Diagram, Green, Minute, StageAt } from "./types";

const utc = (s: number) => uPlot.tzDate(new Date(s * 1000), "Etc/UTC");
const hhmm = (s: number) => new Date(s * 1000).toISOString().slice(11, 16);

/** Minute by minute, and dashed what is forecast. */
export function trend(minutes: Minute[], width: number, ahead: Minute[] = []): HTMLElement {
  const box = el("div", { class: "chart" });
  if (minutes.length < 2) return box;
  const k = rem();
  // The forecast begins where what is known ends.
  const from = minutes.map((m, i) => (ahead.length && i === minutes.length - 1 ? m.index : null)).concat(ahead.map((m) => m.index));
  const style = { stroke: "#8a99aa", grid: { stroke: "#1b2531", width: k }, ticks: { show: false }, font: `${12 * k}px system-ui` };
  new uPlot({
    width, height: Math.round(width * 0.3), tzDate: utc, legend: { show: false }, cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_, min, max) => [Math.min(1, min), Math.max(2, max * 1.05)] } },
    axes: [{ ...style, size: 24 * k, space: 60 * k, values: (_, all) => all.map(hhmm) }, { ...style, size: 38 * k, space: 32 * k, values: (_, all) => all.map((v) => v.toFixed(1)) }],
    series: [{}, { stroke: "#4d93c7", width: 2 * k, fill: "#4d93c71f", points: { show: false } }, { stroke: "#c9a2ff", width: 2 * k, dash: [5 * k, 4 * k], points: { show: false } }],
  }, [[...minutes, ...ahead].map((m) => local_s(m.end_ms)), [...minutes.map((m) => m.index), ...ahead.map(() => null)], from], box);
  return box;
}

/** Pictures are drawn for letters of 13 pixels and grow with them; how wide one may be, then. */
const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 13;
const room = () => {
  const side = document.getElementById("side")!;
  return Math.max(300, side.clientWidth / rem() - 2.4 * 13);
};

/** Stages that were run and are planned, as bars around now. */
export function stages(timeline: StageAt[], now_ms: number, back_ms = 150_000, ahead_ms = 90_000): SVGElement {
  const [w, h, top] = [room(), 62, 16];
  const x = (t: number) => Math.max(0, Math.min(w, ((t - now_ms + back_ms) / (back_ms + ahead_ms)) * w));
  const names = [...new Set(timeline.map((s) => s.stage))].sort();
  const bars = timeline.flatMap((s, i) => {
    const [from, to] = [x(s.at_ms), x(timeline[i + 1]?.at_ms ?? now_ms + ahead_ms)];
    if (to <= from) return [];
    const colour = STAGES[names.indexOf(s.stage) % STAGES.length];
    const planned = s.at_ms > now_ms;
    const bar = svg("rect", { x: from, y: top, width: Math.max(0, to - from - 1), height: h - top - 14, rx: 3, fill: colour, opacity: planned ? 0.55 : 1 }, svg("title", {}, `${s.stage} ${time(s.at_ms)}`));
    const text = to - from > s.stage.length * 6.5 + 6 ? [svg("text", { x: from + 5, y: top + 20, class: "on" }, s.stage)] : [];
    return [bar, ...text];
  });
  const ticks = [-120, -90, -60, -30, 30, 60].map((s) => svg("text", { x: x(now_ms + s * 1000), y: h - 1, "text-anchor": "middle" }, `${s > 0 ? "+" : "−"}${Math.abs(s)} s`));
  const now = [svg("line", { x1: x(now_ms), x2: x(now_ms), y1: top - 4, y2: h - 12, class: "now" }), svg("text", { x: x(now_ms), y: 10, "text-anchor": "middle", class: "strong" }, time(now_ms))];
  return svg("svg", { viewBox: `0 0 ${w} ${h}`, class: "stages", role: "img" }, ...bars, ...ticks, ...now);
}

/** As much of a name as there is room for. */
const short = (name: string, px: number) => (name.length * 6.8 <= px ? name : `${name.slice(0, Math.floor(px / 6.8) - 1)}…`);

/** Signals up the page, time across it; greens along the road above each line, against it below; bands run at the limit. */
export function spacetime(d: Diagram, here: string): SVGElement {
  const names = Math.max(...d.signals.map((s) => s.junction.length)) * 6.8 + 14;
  const w = room(), left = Math.min(w * 0.36, names), top = 8, bottom = 18;
  const row = 30, h = top + bottom + Math.max(2, d.signals.length) * row;
  const length = d.signals.at(-1)?.at_m ?? 0;
  const [from, to] = [d.now_ms - 120_000, d.now_ms + 90_000];
  const x = (t: number) => left + Math.max(0, Math.min(1, (t - from) / (to - from))) * (w - left);
  const inner = h - top - bottom - row;
  // Signals stand where they are along the road, but never so near that their lines cannot be told apart.
  const even = (i: number) => (d.signals.length < 2 ? 0.5 : i / (d.signals.length - 1));
  const y = (i: number) => h - bottom - row / 2 - inner * (length ? 0.5 * even(i) + 0.5 * (d.signals[i].at_m / length) : even(i));
  const parts: SVGElement[] = [];
  const bars = (i: number, greens: Green[], up: boolean) => greens.forEach((g) => {
    if (g.to_ms <= from || g.from_ms >= to) return;
    parts.push(svg("rect", { x: x(g.from_ms), y: y(i) + (up ? -6 : 1), width: Math.max(1, x(g.to_ms) - x(g.from_ms)), height: 5, rx: 1, fill: up ? GREEN : "#4d93c7", opacity: g.from_ms > d.now_ms ? 0.6 : 1 }));
  });
  // Who starts with a green runs at the limit to the next signal.
  const bands = (i: number, next: number, greens: Green[], colour: string) => greens.forEach((g) => {
    const took = (Math.abs(d.signals[next].at_m - d.signals[i].at_m) / d.speed_mps) * 1000;
    const points = [[g.from_ms, i], [g.to_ms, i], [g.to_ms + took, next], [g.from_ms + took, next]];
    if (g.to_ms <= from || g.from_ms + took >= to) return;
    parts.push(svg("polygon", { points: points.map(([t, s]) => `${x(t)},${y(s)}`).join(" "), fill: colour, opacity: 0.13 }));
  });
  d.signals.forEach((s, i) => { if (i + 1 < d.signals.length) bands(i, i + 1, s.along, GREEN); if (i > 0) bands(i, i - 1, s.against, "#4d93c7"); });
  d.signals.forEach((s, i) => {
    parts.push(svg("line", { x1: left, x2: w, y1: y(i), y2: y(i), class: "road" }));
    bars(i, s.along, true); bars(i, s.against, false);
    parts.push(svg("a", { href: `#/junction/${encodeURIComponent(s.junction)}` }, svg("text", { x: left - 8, y: y(i) + 4, "text-anchor": "end", class: s.junction === here ? "strong" : "" }, short(s.junction, left - 12))));
  });
  parts.push(svg("line", { x1: x(d.now_ms), x2: x(d.now_ms), y1: top, y2: h - bottom + 3, class: "now" }));
  for (const s of w < 420 ? [-90, -45, 45] : [-90, -60, -30, 30, 60]) parts.push(svg("text", { x: x(d.now_ms + s * 1000), y: h - 3, "text-anchor": "middle" }, `${s > 0 ? "+" : "−"}${span(Math.abs(s) * 1000)}`));
  return svg("svg", { viewBox: `0 0 ${w} ${h}`, class: "spacetime", role: "img" }, ...parts);
}
