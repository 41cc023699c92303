// The control room's screen: sign in, see the city, go down to a junction, act. What is shown stands behind # in the
// address, so that back, bookmarks and two screens work.
import "maplibre-gl/dist/maplibre-gl.css";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { ask, listen, setToken, signIn, signOut } from "./api";
import { app, attempt, below, home, noteBox, released } from "./app";
import { button, date, el, link, setOffset, span, time, uri } from "./dom";
import { City } from "./map";
import { INDEX, STATES, mark } from "./palette";
import type { Alarm, CityMap, Junction, Link, Me, Orders, State, Tick, Wave, Zone } from "./types";
import { told } from "./told";
import { alarms } from "./views/alarms";
import { junction } from "./views/junction";
import { link as road } from "./views/link";
import { audit, orders } from "./views/orders";
import { sensors } from "./views/sensors";
import { waves } from "./views/waves";
import { roads, zone } from "./views/zone";
import { lang, say, turn } from "./words";

/** A view: what it shows, and what of it follows the engine. */
interface View { nodes: Node[]; tick?: () => Promise<void>; corridors?: () => Promise<void> }
const TABS = ["city", "alarms", "waves", "orders", "sensors", "audit"];
const VIEWS: Record<string, (id: string) => Promise<View>> = {
  zone: async (id) => ({ nodes: await zone(id) }), link: async (id) => ({ nodes: await road(id) }), junction,
  alarms: async () => ({ nodes: await alarms() }), waves, orders: async () => ({ nodes: await orders() }),
  sensors: async () => ({ nodes: await sensors() }), audit: async () => ({ nodes: await audit() }),
};

let shown: View = { nodes: [] };
let heard = Date.now(), age_ms = 0, ended = false, looking = "", ordered = "";
const clock = el("time", { id: "clock" }), health = el("span", { id: "health", role: "status" });
const badges = new Map(TABS.map((t) => [t, el("b", { class: "badge" })]));
const watch = el("aside", { id: "watch" }), legend = el("div", { id: "legend" });

const route = (): [string, string] => {
  const [view = "", id = ""] = location.hash.replace(/^#\//, "").split("/");
  return VIEWS[view] ? [view, decodeURIComponent(id)] : ["zone", home()];
};

/** Draws the view that the address names; a redraw keeps its place. */
async function draw(again = false) {
  const [name, id] = route();
  app.pick = null;
  const view = await attempt(() => VIEWS[name](id));
  await released();
  if (!view || route().join() !== [name, id].join()) return;
  const top = app.side.scrollTop;
  shown = view;
  app.side.replaceChildren(...view.nodes);
  app.side.scrollTop = again ? top : 0;
  if (name !== "junction") app.city.mark("");
  if (name === "zone" && looking !== id) { looking = id; app.city.look(id === home() ? null : below(id)); }
  for (const tab of document.querySelectorAll<HTMLElement>("nav.tabs a")) tab.toggleAttribute("aria-current", tab.dataset.view === name || (tab.dataset.view === "city" && ["zone", "junction", "link"].includes(name)));
}
/** Again, unless somebody is typing into it. */
const redraw = async () => { if (!app.side.querySelector("input:focus, select:focus")) await draw(true); };
app.refresh = () => draw(true);

/** What every screen needs by the minute: zones, roads, and the list at the wall's edge. */
async function minute() {
  const [zones, links] = await Promise.all([ask<Zone[]>("/api/zones"), ask<Link[]>("/api/links")]);
  app.zones = new Map(zones.map((z) => [z.id, z]));
  app.links = links;
  app.city.index(links);
}
async function counts() {
  const all = (await ask<Alarm[]>("/api/alarms")).filter((a) => !["resolved", "evaluated"].includes(a.state));
  badges.get("alarms")!.textContent = all.length ? String(all.length) : "";
  watch.replaceChildren(el("h3", {}, say("alarms")), ...(all.length ? all.slice(0, 12).map((a) => el("p", { class: "alarm" }, link(`${say(a.kind)} · ${a.place}`, "alarms"), el("br"), el("span", { class: "dim" }, `${told(a.text)} · ${time(a.raised_ms)}`))) : [el("p", { class: "dim" }, say("nothing"))]),
    el("h3", {}, say("worst")), roads(app.links.slice(0, 10)));
}
const corridors = async () => { const all = await ask<Wave[]>("/api/corridors"); app.city.waves(all); badges.get("waves")!.textContent = String(all.filter((w) => w.live).length || ""); };
const waiting = async () => {
  if (!app.me.grants.some((g) => g.role !== "viewer")) return;
  const all = await ask<Orders>("/api/commands");
  const now = `${all.waiting.map((w) => w.id)}/${all.outcomes.length}`;
  badges.get("orders")!.textContent = String(all.waiting.length || "");
  if (now !== ordered && route()[0] === "orders") await redraw();
  ordered = now;
};

function explain() {
  const counts = app.city.counts();
  const state = (s: State) => el("span", {}, mark(s), ` ${say(s)} `, el("b", {}, String(counts.get(s))));
  const scale = el("span", { class: "scale" }, ...INDEX.map(([at, colour]) => el("i", { style: `background:${colour}` }, String(at))));
  legend.replaceChildren(el("span", {}, say("legend"), scale), ...(Object.keys(STATES) as State[]).filter((s) => counts.get(s)).map(state));
}

function status() {
  const silent = Date.now() - heard;
  const old = Math.max(silent > 1500 ? silent : 0, age_ms);
  const lost = !ended && old > 2000;
  health.className = lost ? "lost" : ended ? "ended" : "";
  health.textContent = lost ? `${say("lost")} ${app.now_ms ? time(app.now_ms) : "–"}, ${span(old)} ${say("ago")}` : ended ? say("ended") : say("live");
  document.body.classList.toggle("stale", lost);
  if (app.now_ms) clock.replaceChildren(el("small", {}, date(app.now_ms)), time(app.now_ms));
}

let busy = false;
/** One at a time: who is still answered is not asked again. */
async function follow(doing: (() => Promise<void>)[]) {
  if (busy || doing.length === 0) return;
  busy = true;
  try { for (const one of doing) await one(); } catch { /* the age on the screen says so */ } finally { busy = false; }
}
let due = { minute: false, alarms: false, corridors: false };
let second = 0;
function tick(t: Tick) {
  app.now_ms = t.now_ms; ended = t.ended; heard = Date.now(); age_ms = 0;
  app.city.signals(t.junctions);
  app.city.vehicles(t.vehicles);
  if (t.junctions.length) explain();
  due = { minute: due.minute || t.index, alarms: due.alarms || t.alarms, corridors: due.corridors || t.corridors };
  const [view] = route();
  const todo: (() => Promise<void>)[] = [];
  if (busy) return;
  if (due.minute) todo.push(minute, counts);
  else if (due.alarms) todo.push(counts);
  if ((due.minute && ["zone", "link", "sensors"].includes(view)) || (due.alarms && view === "alarms")) todo.push(redraw);
  if (due.corridors) todo.push(corridors, async () => shown.corridors?.());
  if (shown.tick && Date.now() - second > 900) { second = Date.now(); todo.push(shown.tick); }
  due = { minute: false, alarms: false, corridors: false };
  void follow(todo);
}

async function everything() {
  await Promise.all([minute(), ask<Junction[]>("/api/junctions").then((all) => app.city.signals(all)), corridors(), waiting()]);
  await counts();
  explain();
}

/** Finds a place by part of its name. */
function finder(map: CityMap): HTMLElement {
  const places = () => [...[...app.zones.keys()].map((z) => ["zone", z]), ...map.junctions.map((j) => ["junction", j.id]), ...map.links.map((l) => ["link", l.id])];
  const found = el("ul", { id: "found" });
  const go = (to: string) => { location.hash = to; input.value = ""; found.replaceChildren(); input.blur(); };
  const input = el("input", { id: "find", type: "search", placeholder: say("search"), autocomplete: "off", "aria-label": say("search"),
    oninput: () => {
      const part = input.value.toLowerCase();
      const all = part ? places().filter(([, n]) => n.toLowerCase().includes(part)).slice(0, 9) : [];
      found.replaceChildren(...all.map(([kind, n]) => el("li", {}, link(n, `${kind}/${uri(n)}`), el("small", { class: "dim" }, say(kind === "link" ? "road" : kind === "zone" ? "zone" : "junctions")))));
    },
    onkeydown: (e: KeyboardEvent) => { const first = found.querySelector("a"); if (e.key === "Enter" && first) go(first.getAttribute("href")!); if (e.key === "Escape") { input.value = ""; found.replaceChildren(); input.blur(); } } });
  found.addEventListener("click", () => setTimeout(() => { input.value = ""; found.replaceChildren(); }));
  return el("div", { class: "find" }, input, found);
}

function frame(map: CityMap) {
  const tab = (name: string, i: number) => el("a", { href: name === "city" ? `#/zone/${uri(home())}` : `#/${name}`, "data-view": name, title: String(i + 1) }, say(name), badges.get(name)!);
  document.body.replaceChildren(
    el("header", {}, el("h1", {}, el("i", {}), "Greenwave"), el("span", { class: "place" }, map.name), clock, health, el("nav", { class: "tabs" }, ...TABS.map(tab)), finder(map),
      button(lang() === "zh" ? "English" : "中文", () => { turn(); frame(map); void everything().then(() => draw()); }, { id: "lang", title: "L" }),
      button(app.me.name, signOut, { title: say("signout"), class: "who" })),
    el("main", {}, watch, el("div", { id: "stage" }, mapBox, legend), app.side), noteBox,
    el("datalist", { id: "links" }, ...map.links.map((l) => el("option", { value: l.id }))));
  clock.title = say("keys");
}

const mapBox = el("div", { id: "map" });
async function open() {
  app.me = await ask<Me>("/api/me");
  const map = await ask<CityMap>("/api/map");
  app.map = map;
  setOffset(map.utc_offset_min);
  frame(map);
  app.city = new City(mapBox, map, { junction: (id) => { location.hash = `/junction/${uri(id)}`; }, link: (id) => { if (app.pick) app.pick(id); else location.hash = `/link/${uri(id)}`; } });
  await everything();
  await draw();
  onhashchange = () => void draw();
  onkeydown = (e) => {
    if (e.target instanceof HTMLInputElement || e.target instanceof HTMLSelectElement || document.querySelector("dialog[open]") || e.ctrlKey || e.metaKey || e.altKey) return;
    const tab = TABS[Number(e.key) - 1];
    if (tab) document.querySelector<HTMLElement>(`nav.tabs a[data-view=${tab}]`)?.click();
    else if (e.key === "/") { e.preventDefault(); document.getElementById("find")?.focus(); }
    else if (e.key === "Escape") history.back();
    else if (e.key.toLowerCase() === "l") document.getElementById("lang")?.click();
  };
  setInterval(status, 250);
  setInterval(() => void waiting().catch(() => {}), 3000);
  void listen({ tick, beat: (b) => { heard = Date.now(); age_ms = b.age_ms; ended = b.ended; }, reset: () => void everything().then(redraw).catch(() => {}) });
}

function door(why = "") {
  const input = el("input", { type: "password", name: "token", autocomplete: "off", required: true });
  document.body.replaceChildren(el("form", { id: "door", onsubmit: (e: Event) => { e.preventDefault(); setToken(input.value.trim()); location.reload(); } },
    el("h1", {}, el("i", {}), "Greenwave"), el("p", { class: "dim" }, say("please")), why ? el("p", { class: "worse" }, why) : null, el("label", {}, say("token"), input), el("button", { class: "primary" }, say("enter"))));
  input.focus();
}

void signIn().then((known) => (known ? open().catch((e: Error) => door(e.message)) : door()));
