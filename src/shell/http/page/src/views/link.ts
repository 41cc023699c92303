// A road: its index, its queues, the signal at its end, and closing it.
import { ask } from "../api";
import { app, may, order } from "../app";
import { trend } from "../charts";
import { button, el, fixed, index as figure, link as to, section, uri } from "../dom";
import { grade } from "../palette";
import type { Link, Sensor, Trend } from "../types";
import { say } from "../words";
import { health } from "./sensors";
import { crumbs } from "./zone";

export async function link(id: string): Promise<Node[]> {
  const l = await ask<Trend<Link>>(`/api/links/${uri(id)}`);
  const sensors = (await ask<Sensor[]>(`/api/sensors?zone=${uri(l.zone)}`)).filter((s) => s.link === id);
  const no = { disabled: !may("operator", l.zone), title: may("operator", l.zone) ? "" : say("noright") };
  const lane = (kind: string) => order(`${say(kind.replace("_", ""))} · ${id}`, { kind, link: id }, [{ name: "lane", label: say("lane"), options: l.queue.map((_, i) => [String(i), String(i)]) }], (said) => ({ lane: Number(said.lane) }));
  return [
    crumbs(l.zone), el("h2", {}, id, " ", el("small", {}, l.road)),
    el("p", { class: `figure ${grade(l.index, true)}` }, figure(l.index), el("small", {}, say(l.index == null ? "nodata" : grade(l.index, true)), el("br"), `${fixed(l.lost_veh_s, 0)} ${say("time")}`)),
    l.junction ? el("p", {}, "→ ", to(l.junction, `junction/${uri(l.junction)}`)) : el("p"),
    el("p", { class: "acts" }, button(say("closelink"), () => order(`${say("closelink")} · ${id}`, { kind: "close_link", link: id }), no), button(say("openlink"), () => order(`${say("openlink")} · ${id}`, { kind: "open_link", link: id }), no),
      button(say("closelane"), () => lane("close_lane"), no), button(say("openlane"), () => lane("open_lane"), no)),
    section(say("hour"), trend(l.trend, app.side.clientWidth - 36)),
    section(say("queue"), el("p", {}, ...l.queue.map((n, i) => el("span", { class: "chip" }, `${i}: ${n}`)))),
    section(say("sensors"), health(sensors)),
  ];
}
