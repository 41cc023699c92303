// A junction: what its lamps show, what runs and is planned, why, queues, its corridor in time and space; and orders.
import { ask } from "../api";
import { app, may, order } from "../app";
import { spacetime, stages } from "../charts";
import { button, el, fixed, link as to, section, table, time, uri } from "../dom";
import { mark } from "../palette";
import type { Diagram, FullJunction, Group, Movement } from "../types";
import { told } from "../told";
import { say } from "../words";
import { health } from "./sensors";
import { crumbs } from "./zone";

const ARROWS: Record<string, string> = { left: "↰", straight: "↑", right: "↱", uturn: "↶" };
const SOURCES: Record<string, string> = { base: "basesource", maxpressure: "maxpressure" };

function why(j: FullJunction): HTMLElement {
  const w = j.why;
  if (!w) return el("p", { class: "dim" }, say("nothing"));
  const list = el("dl", {}, el("dt", {}, say(SOURCES[w.source] ?? w.source)), el("dd", {}, `${say("costs")} ${fixed(w.cost_veh_s, 0)} ${say("time")}`));
  if (w.beaten) list.append(el("dt", {}, `${say("beats")} ${w.beaten}`), el("dd", {}, `+${fixed(w.beaten_by_veh_s, 0)} ${say("time")} ${say("more")}`));
  if (w.bound_by.length) list.append(el("dt", {}, say("bound")), el("dd", {}, w.bound_by.join("; ")));
  if (j.refused.length) list.append(el("dt", {}, say("refusedlast")), el("dd", {}, j.refused.slice(0, 3).join("; ")));
  return list;
}

const lamp = (g: Group) => el("span", { class: `lamp ${g.shows}`, title: [say(g.shows), ...g.movements].join("\n") }, g.id);

/** The demand that the running plan saw, as far as it says. */
function demand(all: Group[]): HTMLElement | null {
  const known = all.filter((g) => g.demand != null);
  const quality = [...new Set(known.map((g) => say(g.quality ?? "none")))].join(", ");
  return known.length ? el("dl", {}, el("dt", {}, `${say("demand")} · ${quality}`), el("dd", {}, ...known.map((g) => el("span", { class: "chip" }, `${g.id} ${fixed(g.demand, 0)}`)))) : null;
}

function queues(id: string, all: Movement[]): HTMLElement {
  const most = Math.max(8, ...all.map((m) => m.queue));
  const bar = (m: Movement) => el("span", { class: "bar", title: m.shared ? say("sharedlane") : "" }, el("i", { style: `width:${(m.queue / most) * 100}%` }), `${m.queue}${m.shared ? " *" : ""}`);
  // A road that leaves here is often named after here.
  const short = (to: string) => (to.startsWith(id) ? to.slice(id.length).replace(/^>/, "") : to);
  const order = ["left", "straight", "right", "uturn"];
  const from = (f: string) => all.filter((m) => m.from === f).sort((a, b) => order.indexOf(a.turn) - order.indexOf(b.turn));
  const part = (f: string) => el("div", {}, to(f, `link/${uri(f)}`), table(["", "", ""], from(f).map((m) => [ARROWS[m.turn] ?? "", short(m.to), bar(m)]), { class: "queues" }));
  return el("div", {}, ...[...new Set(all.map((m) => m.from))].map(part), all.some((m) => m.shared) ? el("p", { class: "dim" }, `* ${say("sharedlane")}`) : null);
}

function acts(j: FullJunction): HTMLElement {
  const can = may("operator", j.zone), set = may("engineer", j.zone);
  const no = (ok: boolean) => ({ disabled: !ok, title: ok ? "" : say("noright") });
  const at = { junction: j.id };
  const pin = () => order(`${say("pin")} ${j.id}`, { kind: "pin", ...at }, [{ name: "program", label: say("program"), options: j.programs.map((p) => [p, p]) }, { name: "minutes", label: say("minutes"), type: "number", value: "30", required: true }], (said) => ({ program: said.program, minutes: Number(said.minutes) }));
  const ms = (s: string) => (s ? Math.round(Number(s) * 1000) : null);
  const limit = () => order(`${say("limit")} ${j.id}`, { kind: "limit", ...at }, [{ name: "group", label: say("group"), options: j.groups.map((g) => [g.id, g.id]) }, { name: "min", label: say("mingreen"), type: "number" }, { name: "max", label: say("maxred"), type: "number" }], (said) => ({ group: said.group, min_green_ms: ms(said.min), max_red_ms: ms(said.max) }));
  return el("p", { class: "acts" }, button(say("hold"), () => order(`${say("hold")} · ${j.id}`, { kind: "hold", ...at }), no(can)), button(say("release"), () => order(`${say("release")} · ${j.id}`, { kind: "release", ...at }), no(can)),
    button(say("pin"), pin, no(can && j.programs.length > 0)), button(say("limit"), limit, no(set)));
}

/** The parts that change by the second, and those that stay under the hand. */
export async function junction(id: string): Promise<{ nodes: Node[]; tick: () => Promise<void> }> {
  let approach = "";
  const read = () => Promise.all([ask<FullJunction>(`/api/junctions/${uri(id)}`), ask<Diagram>(`/api/junctions/${uri(id)}/diagram${approach ? `?approach=${uri(approach)}` : ""}`).catch(() => null)]);
  const head = el("p", { class: "state" }), bars = el("div"), reasons = el("div"), lamps = el("p", { class: "lamps" }), standing = el("div"), picture = el("div"), seeing = el("div");
  const choose = el("select", { "aria-label": say("diagram"), onchange: () => { approach = choose.value; void tick(); } });
  const draw = ([j, d]: [FullJunction, Diagram | null]) => {
    head.className = `state ${j.state}`;
    head.replaceChildren(mark(j.state), ` ${say(j.state)}`, el("span", { class: "dim" }, `${[told(j.order ?? (j.state === "measured" ? "" : j.reason ?? "")), `${say("revision")} ${j.revision ?? "–"}`].filter(Boolean).map((t) => ` · ${t}`).join("")}`));
    bars.replaceChildren(stages(j.timeline, j.now_ms));
    reasons.replaceChildren(why(j), demand(j.groups) ?? "");
    lamps.replaceChildren(...j.groups.map(lamp));
    standing.replaceChildren(queues(id, j.movements));
    seeing.replaceChildren(health(j.sensors, 12));
    picture.replaceChildren(d && d.signals.length ? spacetime(d, id) : el("p", { class: "dim" }, say("nothing")));
    if (d && choose.options.length === 0) choose.append(...d.approaches.map((a) => el("option", { value: a, selected: a === d.approach }, a)));
    heard.textContent = j.heard_ms ? time(j.heard_ms) : "–";
  };
  const heard = el("small", { class: "dim" });
  const first = await read();
  const tick = async () => draw(await read());
  draw(first);
  app.city.mark(id);
  const j = first[0];
  return {
    nodes: [crumbs(j.zone), el("h2", {}, id, " ", heard), head, lamps, acts(j), section(say("stages"), bars), section(say("whyplan"), reasons),
      section(say("queues"), standing), section(say("diagram"), choose, picture, el("p", { class: "dim" }, el("i", { class: "along" }), say("along"), el("i", { class: "against" }), say("against"))), section(say("sensors"), seeing)],
    tick,
  };
}
