// The control room's screen: sign in, see the city, go down to a junction, act.
import "maplibre-gl/dist/maplibre-gl.css";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import uPlot from "uplot";
import { ask, listen, signIn } from "./api";
import { lang, say, turn } from "./words";
import { City } from "./map";

type Any = Record<string, any>;
const el = (tag: string, props: Any = {}, ...kids: (Node | string)[]): HTMLElement => {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value);
  }
  node.append(...kids);
  return node;
};
const q = (id: string) => encodeURIComponent(id);
const fixed = (x: number | null | undefined, n = 2) => (x == null ? "–" : x.toFixed(n));

let me: Any = {}, now = 0, offset = 0, heard = 0, ended = false, age = 0;
let view: () => Promise<void>;
let city: City;
const side = el("aside", { id: "side" });
const clock = el("time", { id: "clock" });
const health = el("span", { id: "health", role: "status" });
const note = el("div", { id: "note", role: "alert" });

const tell = (text: string) => { note.textContent = text; setTimeout(() => { if (note.textContent === text) note.textContent = ""; }, 6000); };
const show = async (draw: () => Promise<void>) => {
  view = draw;
  try { await draw(); } catch (e) { tell(String((e as Error).message)); }
};
const button = (text: string, act: () => unknown) => el("button", { onclick: act }, text);
const order = async (action: Any) => {
  const reason = prompt(say("why")) ?? null;
  if (reason === null) return;
  const got = await ask("/api/commands", { action, reason }).catch((e) => tell(e.message));
  if (got) tell(`${say(got.state)}: ${got.id}`);
  setTimeout(() => void view(), 1500);
};

function chart(trend: Any[]): HTMLElement {
  const box = el("div", { class: "chart" });
  if (trend.length < 2) return box;
  const axis = { stroke: "#8b98a9", grid: { stroke: "#223" } };
  new uPlot({ width: 356, height: 130, legend: { show: false }, axes: [axis, axis],
    series: [{}, { stroke: "#58b4f0", width: 2 }] },
    [trend.map((m) => m.end_ms / 1000 + offset * 60), trend.map((m) => m.index)], box);
  return box;
}

const rows = (head: string[], body: (Node | string)[][]) => {
  const cells = (tag: string, row: (Node | string)[]) => el("tr", {}, ...row.map((c) => el(tag, {}, c)));
  return el("table", {}, el("thead", {}, cells("th", head)), el("tbody", {}, ...body.map((r) => cells("td", r))));
};
const go = (text: string, to: () => Promise<void>) => el("a", { href: "#", onclick: (e: Event) => { e.preventDefault(); void show(to); } }, text);

const zone = (id: string) => async () => {
  const [z, all, links] = await Promise.all([ask(`/api/zones/${q(id)}`), ask("/api/zones"), ask(`/api/links?zone=${q(id)}`)]);
  const below = all.filter((c: Any) => c.parent === id).sort((a: Any, b: Any) => (b.index ?? 0) - (a.index ?? 0));
  const change = z.change == null ? "" : ` ${z.change > 0 ? "▲" : "▼"} ${fixed(Math.abs(z.change))}`;
  side.replaceChildren(
    ...(z.parent ? [go(`← ${z.parent}`, zone(z.parent))] : []),
    el("h2", {}, z.id), el("p", { class: "figure" }, fixed(z.index), el("small", {}, ` ${say("index")}${change} · TPI ${fixed(z.tpi, 1)}`)),
    chart(z.trend),
    el("p", {}, `${z.junctions} ${say("junctions")}, ${z.impaired} ${say("impaired")} · ${z.quality ?? ""}`),
    below.length ? rows([say("zone"), say("index")], below.map((c: Any) => [go(c.id, zone(c.id)), fixed(c.index)])) : "",
    el("h3", {}, say("worst")),
    rows([say("road"), say("index"), say("time")], links.slice(0, 8).map((l: Any) => [
      l.junction ? go(l.id, junction(l.junction)) : l.id, fixed(l.index), fixed(l.lost_veh_s, 0)])));
};

const junction = (id: string) => async () => {
  const j = await ask(`/api/junctions/${q(id)}`);
  const span = { from: j.now_ms - 180000, to: j.now_ms + 90000 };
  const at = (t: number) => Math.max(0, Math.min(100, ((t - span.from) / (span.to - span.from)) * 100));
  const names = [...new Set<string>(j.timeline.map((s: Any) => s.stage))];
  const bars = el("div", { class: "bars", title: say("timeline") }, ...j.timeline.map((s: Any, i: number) => {
    const end = j.timeline[i + 1]?.at_ms ?? span.to;
    return el("i", { style: `left:${at(s.at_ms)}%;width:${at(end) - at(s.at_ms)}%;background:${["#2f6690", "#c7873c", "#5d8a66", "#8a5d80", "#777"][names.indexOf(s.stage) % 5]}`, title: s.stage }, s.stage);
  }), el("b", { style: `left:${at(j.now_ms)}%` }));
  side.replaceChildren(
    go(`← ${j.zone}`, zone(j.zone)), el("h2", {}, j.id),
    el("p", { class: `state ${j.state}` }, `${say(j.state)} · ${j.stage ?? "–"} · ${j.order ?? j.reason ?? ""}`),
    bars,
    el("p", {}, button(say("hold"), () => order({ kind: "hold", junction: id })), button(say("release"), () => order({ kind: "release", junction: id }))),
    el("h3", {}, say("whyplan")),
    el("p", {}, j.why ? `${j.why.source}: ${fixed(j.why.cost_veh_s, 0)} veh·s${j.why.beaten ? `; ${say("beats")} ${j.why.beaten} (+${fixed(j.why.beaten_by_veh_s, 0)})` : ""}. ${j.why.bound_by.join("; ")}` : "–"),
    rows([say("group"), say("demand"), say("quality"), say("movements")], j.groups.map((g: Any) => [
      el("span", { class: `lamp ${g.shows}` }, `● ${g.id}`), fixed(g.demand, 1), g.quality ?? "–", g.movements.join(", ")])),
    el("h3", {}, say("queues")),
    rows([say("road"), say("index"), say("queue")], j.approaches.map((l: Any) => [l.id, fixed(l.index), l.queue.join(" ")])),
    el("h3", {}, say("sensors")),
    rows([say("sensors"), say("health")], j.sensors.filter((s: Any) => s.health !== "good").map((s: Any) => [s.id, s.health])));
  city.mark(id);
};

const alarms = async () => {
  const all = await ask("/api/alarms");
  const step = (a: Any, body: Any) => async () => { await ask(`/api/alarms/${a.id}`, body).catch((e) => tell(e.message)); await view(); };
  side.replaceChildren(el("h2", {}, say("alarms")), ...all.slice(0, 60).map((a: Any) => el("article", { class: a.state },
    el("strong", {}, `${say(a.kind)} · ${a.place}`), el("p", {}, `${a.text} (×${a.count}) · ${a.desk} · ${say(a.state)}`),
    ...(a.state === "reported" ? [button(say("acknowledge"), step(a, { step: "acknowledge" }))] : []),
    ...(["acknowledged", "handling"].includes(a.state) ? [button(say("resolve"), step(a, { step: "resolve", note: "" }))] : []))));
};
const sensors = async () => {
  const all = await ask("/api/sensors");
  const bad = all.filter((s: Any) => s.health !== "good");
  side.replaceChildren(el("h2", {}, say("sensors")), el("p", {}, `${bad.length} / ${all.length}`),
    rows([say("sensors"), say("health")], bad.slice(0, 200).map((s: Any) => [s.id, s.health])));
};
const audit = async () => {
  const all = await ask("/api/audit");
  side.replaceChildren(el("h2", {}, say("audit")), ...all.slice(0, 100).map((r: Any) =>
    el("article", {}, el("strong", {}, `${r.seq} · ${r.who}`), el("p", {}, `${r.what} — ${r.why} [${r.before} → ${r.after}]`))));
};
const waves = async () => {
  const [all, orders] = await Promise.all([ask("/api/corridors"), ask("/api/commands")]);
  const from = el("input", { placeholder: say("from"), list: "links" }) as HTMLInputElement;
  const to = el("input", { placeholder: say("to"), list: "links" }) as HTMLInputElement;
  const shown = el("p");
  side.replaceChildren(el("h2", {}, say("waves")), el("p", {}, from, to),
    button(say("preview"), async () => {
      const p = await ask("/api/corridors/preview", { from: from.value, to: to.value }).catch((e) => tell(e.message));
      if (!p) return;
      city.way(p.route);
      shown.textContent = `${p.junctions.length} ${say("junctions")}, ${fixed(p.now_s, 0)} s (${fixed(p.free_flow_s, 0)} s)`;
    }),
    button(say("start"), () => order({ kind: "green_wave", vehicle: "ambulance", from: from.value, to: to.value })), shown,
    ...all.map((w: Any) => el("article", {}, el("strong", {}, w.vehicle), el("p", {}, `${w.from} → ${w.to}`),
      w.cancelled ? say("cancelled") : button(say("cancel"), () => order({ kind: "cancel_green_wave", request: w.id })))),
    el("h3", {}, say("waiting")),
    ...orders.waiting.map((w: Any) => el("article", {}, `${w.who}: ${JSON.stringify(w.order.action)}`,
      button(say("approve"), async () => { await ask(`/api/commands/${w.id}/approve`, {}).catch((e) => tell(e.message)); await view(); }))));
};

const status = () => {
  const silent = Date.now() - heard;
  const lost = !ended && (silent > 2500 || age > 2500);
  health.className = lost ? "lost" : "";
  health.textContent = lost ? `${say("lost")} · ${Math.round(Math.max(silent, age) / 1000)} s` : ended ? say("ended") : say("live");
  document.body.classList.toggle("stale", lost);
  clock.textContent = now ? new Date(now + offset * 60000).toISOString().slice(0, 19).replace("T", " ") : "";
};

async function colour() { city.index(await ask("/api/links")); }

async function open() {
  me = await ask("/api/me");
  const [map, all] = await Promise.all([ask("/api/map"), ask("/api/junctions")]);
  offset = map.utc_offset_min;
  const home = zone(me.grants[0].zone);
  const tabs: [string, () => Promise<void>][] = [["city", home], ["alarms", alarms], ["waves", waves], ["sensors", sensors], ["audit", audit]];
  document.body.replaceChildren(
    el("header", {}, el("h1", {}, "Greenwave"), el("span", {}, map.name), clock, health,
      el("nav", {}, ...tabs.map(([name, to], i) => el("button", { title: String(i + 1), onclick: () => show(to) }, say(name)))),
      el("button", { onclick: () => { turn(); void open(); } }, lang() === "zh" ? "English" : "中文"), el("span", {}, me.name)),
    el("main", {}, el("div", { id: "map" }), side), note,
    el("datalist", { id: "links" }, ...map.links.map((l: Any) => el("option", { value: l.id }))));
  city = new City("map", map, (id) => void show(junction(id)));
  city.states(all);
  onkeydown = (e) => { const tab = tabs[Number(e.key) - 1]; if (tab && !(e.target instanceof HTMLInputElement)) void show(tab[1]); };
  await show(home);
  await colour();
}

listen({
  tick: (t) => {
    now = t.now_ms; ended = t.ended; heard = Date.now(); age = 0;
    city?.states(t.junctions); city?.vehicles(t.vehicles);
    if (t.index) { void colour(); void view?.(); }
    else if (t.alarms && view === alarms) void alarms();
  },
  beat: (b) => { heard = Date.now(); age = b.age_ms; ended = b.ended; },
  reset: () => { if (city) void ask("/api/junctions").then((all) => city.states(all)).then(colour); },
});
setInterval(status, 500);
void signIn().then(open).catch((e: Error) => {
  const token = el("input", { type: "password", placeholder: say("token") }) as HTMLInputElement;
  document.body.replaceChildren(el("form", { id: "door", onsubmit: (ev: Event) => {
    ev.preventDefault(); sessionStorage.setItem("token", token.value); location.reload();
  } }, el("h1", {}, "Greenwave"), el("p", {}, e.message), token, el("button", {}, say("enter"))));
});
