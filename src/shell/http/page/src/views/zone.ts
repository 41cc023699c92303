// A zone: its index and trend, what is wrong in it, the zones below and the roads where most time is lost.
import { ask } from "../api";
import { above, app, below, may, order } from "../app";
import { trend } from "../charts";
import { button, el, fixed, index as figure, link, section, table, uri } from "../dom";
import { grade, mark } from "../palette";
import type { Alarm, Junction, Link, Trend, Zone } from "../types";
import { told } from "../told";
import { say } from "../words";

export const crumbs = (zone: string) => el("nav", { class: "crumbs" }, ...above(zone).reverse().flatMap((z, i) => [i ? " › " : "", link(z, `zone/${uri(z)}`)]));

const gauge = (index: number | null, road = false) => el("span", { class: `gauge ${grade(index, road)}` }, figure(index));

export async function zone(id: string): Promise<Node[]> {
  const [z, links, alarms, junctions] = await Promise.all([
    ask<Trend<Zone>>(`/api/zones/${uri(id)}`), ask<Link[]>(`/api/links?zone=${uri(id)}`), ask<Alarm[]>("/api/alarms"),
    ask<Junction[]>(`/api/junctions?zone=${uri(id)}`)]);
  const inside = below(id);
  const worst = (all: Zone[]) => all.sort((a, b) => (b.index ?? 0) - (a.index ?? 0));
  const children = worst([...app.zones.values()].filter((c) => c.parent === id));
  const streets = worst([...app.zones.values()].filter((c) => c.level === "street" && c.id !== id && inside.has(c.id))).slice(0, 5);
  const zones = (all: Zone[]) => table([say("zone"), `#${say("index")}`, `#${say("junctions")}`], all.map((c) => [link(c.id, `zone/${uri(c.id)}`), gauge(c.index), String(c.junctions)]));
  const odd = junctions.filter((j) => !["measured", "unheard"].includes(j.state));
  const open = alarms.filter((a) => inside.has(a.owner) && !["resolved", "evaluated"].includes(a.state));
  const change = z.change == null ? null : el("span", { class: z.change > 0.02 ? "worse" : z.change < -0.02 ? "better" : "" }, `${z.change > 0 ? "▲" : "▼"} ${fixed(Math.abs(z.change))} ${say("quarter")}`);
  const mode = () => order(`${say("mode")} ${id}`, { kind: "mode", zone: id }, [{ name: "mode", label: say("mode"), options: ["shadow", "advise", "control"].map((m) => [m, say(m)]) }], (said) => ({ mode: said.mode }));
  return [
    z.parent ? crumbs(id) : null, el("h2", {}, id, " ", el("small", {}, say(z.level === "city" ? "wholecity" : z.level))),
    el("p", { class: `figure ${grade(z.index)}` }, figure(z.index), el("small", {}, say(grade(z.index)), el("br"), change ?? say("index"))),
    el("p", { class: "dim" }, `${say("tpi")} ${fixed(z.tpi, 1)} · ${z.junctions} ${say("junctions")}, ${z.impaired} ${say("impaired")} · ${say(z.quality ?? "none")}`),
    z.trend.length > 1 ? section(say(z.forecast.length ? "trendahead" : "trend"), trend(z.trend, app.side.clientWidth - 36, z.forecast)) : null,
    streets.length > 1 && z.level !== "district" ? section(say("worststreets"), zones(streets)) : null,
    children.length ? section(say("below"), zones(children)) : null,
    section(say("wrong"), open.length + odd.length === 0 ? el("p", { class: "dim" }, say("fine")) : null,
      ...open.slice(0, 5).map((a) => el("p", { class: "alarm" }, link(`${say(a.kind)} · ${a.place}`, "alarms"), " ", el("span", { class: "dim" }, told(a.text)))),
      ...odd.slice(0, 8).map((j) => el("p", {}, mark(j.state), " ", link(j.id, `junction/${uri(j.id)}`), " ", el("span", { class: "dim" }, `${say(j.state)} · ${told(j.order ?? j.reason ?? "")}`)))),
    section(say("worstjunctions"), table([say("junctions"), `#${say("queue")}`, `#${say("time")}`], lost(junctions, links).slice(0, 6).map(([j, s]) => [
      el("span", {}, mark(j.state), " ", link(j.id, `junction/${uri(j.id)}`)), String(j.queue), fixed(s, 0)]))),
    section(say("worst"), roads(links.slice(0, 10))),
    may("engineer", id) ? el("p", { class: "acts" }, button(say("mode"), mode)) : null,
  ].filter((n): n is HTMLElement => n !== null);
}

/** Junctions by the time lost on their approaches, the most first. */
function lost(junctions: Junction[], links: Link[]): [Junction, number][] {
  const sums = new Map<string, number>();
  for (const l of links) if (l.junction) sums.set(l.junction, (sums.get(l.junction) ?? 0) + (l.lost_veh_s ?? 0));
  return junctions.map((j): [Junction, number] => [j, sums.get(j.id) ?? 0]).sort((a, b) => b[1] - a[1]);
}

export const roads = (links: Link[]) => table([say("road"), `#${say("index")}`, `#${say("time")}`], links.map((l) => [link(l.id, `link/${uri(l.id)}`), gauge(l.index, true), fixed(l.lost_veh_s, 0)]));
