// Green waves: a new one with its preview, those under way with the signals before them, and those that are over.
import { ask } from "../api";
import { app, attempt, order, released } from "../app";
import { button, el, fixed, link, section, span, table, time, uri } from "../dom";
import type { Account, Other, Preview, Wave } from "../types";
import { told } from "../told";
import { say } from "../words";

const from = el("input", { name: "from", list: "links", autocomplete: "off", required: true });
const to = el("input", { name: "to", list: "links", autocomplete: "off", required: true });
const vehicle = el("input", { name: "vehicle", value: "ambulance-7", maxlength: "80", required: true });
const shown = el("div", { class: "preview" });
const live = el("div");

/** A road clicked on the map fills the first end that is empty, or begins anew. */
function pick(id: string) {
  if (from.value && to.value) { from.value = to.value = ""; forget(); }
  (from.value ? to : from).value = id;
  if (from.value && to.value) void preview();
}
function forget() { shown.replaceChildren(); app.city.waves(known, []); }
let known: Wave[] = [];

async function preview() {
  forget();
  if (!from.value || !to.value) return;
  const p = await attempt(() => ask<Preview>("/api/corridors/preview", { from: from.value, to: to.value }));
  if (!p) return;
  app.city.waves(known, p.route);
  const start = () => order(`${say("start")} · ${from.value} → ${to.value}`, { kind: "green_wave", vehicle: vehicle.value, from: from.value, to: to.value }).then(forget);
  shown.replaceChildren(
    el("p", { class: "figure" }, span(p.now_s * 1000), el("small", {}, `${say("now")}`, el("br"), `${span(p.free_flow_s * 1000)} ${say("free")}`)),
    el("p", { class: "dim" }, `${(p.length_m / 1000).toFixed(1)} km · ${p.junctions.length} ${say("junctions")}`),
    el("p", {}, ...p.junctions.flatMap((j, i) => [i ? " → " : "", link(j, `junction/${uri(j)}`)])),
    p.alternatives.length ? table([say("otherways"), `#${say("now")}`, `#${say("later")}`, "#km", `#${say("junctions")}`], p.alternatives.map((o) =>
      [button(say("show"), () => app.city.waves(known, o.route)), span(o.now_s * 1000), `+${fixed(o.later_s, 0)} s`, (o.length_m / 1000).toFixed(1), String(o.junctions)])) : "",
    button(say("start"), start, { class: "primary", disabled: !p.allowed, title: p.allowed ? "" : say("noright") }));
}

function card(w: Wave): HTMLElement {
  const arrives = w.arrives_ms ? `${say("arrives")} ${time(w.arrives_ms[0])}–${time(w.arrives_ms[1])}` : "";
  const expected = w.cost_veh_s ? `${say("cost")} ${fixed(w.cost_veh_s, 0)} ${say("time")}` : "";
  const cost = w.extra_veh_s ? `${say("hascost")} ${fixed(w.extra_veh_s, 0)} ${say("time")}` : "";
  const paid = w.paid_back_ms ? `${say("owed_paid_back")} ${time(w.paid_back_ms)}` : "";
  const acts = w.live ? el("p", { class: "acts" },
    w.state === "planned" ? button(say("activate"), () => order(`${say("activate")} · ${w.vehicle}`, { kind: "activate_green_wave", request: w.id })) : null,
    button(say("cancel"), () => order(`${say("cancel")} · ${w.vehicle}`, { kind: "cancel_green_wave", request: w.id }))) : null;
  return el("article", { class: w.live ? "wave" : "over" }, el("strong", {}, `${w.vehicle} · ${say(w.state)}`), el("p", {}, `${w.from} → ${w.to}`), el("p", { class: "dim" }, [told(w.why), arrives, expected, cost, paid].filter(Boolean).join(" · ")),
    w.gates.length ? table([say("gates"), `#${say("green_at")}`, `#${say("arrives")}`], w.gates.slice(0, 8).map((g) => [link(g.junction, `junction/${uri(g.junction)}`), time(g.green_from_ms), `${time(g.low_ms)}–${time(g.high_ms)}`])) : null, w.live ? others(w.alternatives) : owed(w.accounts), acts);
}

/** The ways that it does not take, each shown on the map when asked for. */
function others(all: Other[]): HTMLElement | null {
  const row = (o: Other) => [button(say("show"), () => app.city.waves(known, o.route)), `${time(o.arrives_ms[0])}–${time(o.arrives_ms[1])}`, fixed(o.cost_veh_s, 0), told(o.why)];
  return all.length ? table([say("otherways"), `#${say("arrives")}`, `#${say("cost")}`, say("whynot")], all.map(row)) : null;
}

/** What each junction's greens for it cost others, and what became of that. */
function owed(accounts: Account[]): HTMLElement | null {
  const row = (a: Account) => [link(a.junction, `junction/${uri(a.junction)}`), fixed(a.extra_veh_s, 0), a.back_ms ? time(a.back_ms) : "–", `${say(`owed_${a.standing}`)} ${time(a.since_ms)}`];
  return accounts.length ? table([say("junctions"), `#${say("time")}`, `#${say("back_at")}`, `#${say("standing")}`], accounts.slice(0, 8).map(row)) : null;
}

async function update() {
  known = await ask<Wave[]>("/api/corridors");
  app.city.waves(known);
  await released();
  const list = (all: Wave[]) => (all.length ? all.map(card) : [el("p", { class: "dim" }, say("nothing"))]);
  live.replaceChildren(section(say("underway"), ...list(known.filter((w) => w.live))), section(say("past"), ...list(known.filter((w) => !w.live).slice(0, 20))));
}

export async function waves(): Promise<{ nodes: Node[]; corridors: () => Promise<void> }> {
  app.pick = pick;
  await update();
  const form = el("form", { onsubmit: (e: Event) => { e.preventDefault(); void preview(); }, oninput: forget }, el("label", {}, say("from"), from), el("label", {}, say("to"), to), el("label", {}, say("vehicle"), vehicle),
    el("p", { class: "acts" }, el("button", {}, say("preview"))), el("p", { class: "dim" }, say("pick")));
  return { nodes: [el("h2", {}, say("waves")), section(say("newwave"), form, shown), live], corridors: update };
}
