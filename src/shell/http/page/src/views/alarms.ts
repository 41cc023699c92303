// Alarms as a closed loop: taken on, given to somebody, handled, resolved, judged; and how fast.
import { ask } from "../api";
import { app, attempt, dialog, may } from "../app";
import { button, el, fixed, link, section, span, table, time, uri } from "../dom";
import type { Alarm, Statistics } from "../types";
import { told } from "../told";
import { say } from "../words";

const over = (a: Alarm) => a.state === "resolved" || a.state === "evaluated";

function place(name: string): Node {
  const kind = app.map.junctions.some((j) => j.id === name) ? "junction" : app.map.links.some((l) => l.id === name) ? "link" : "zone";
  return link(name, `${kind}/${uri(name)}`);
}
/** Where it is, for one that was gathered from many places of a zone. */
function places(a: Alarm): Node | null {
  if (a.parts.length === 0 || (a.parts.length === 1 && a.parts[0] === a.place)) return null;
  const list = el("ul", {}, ...a.parts.map((p) => el("li", {}, place(p))));
  return a.parts.length <= 3 ? list : el("details", {}, el("summary", {}, `${a.parts.length} ${say("places")}`), list);
}

function acts(a: Alarm): HTMLElement | null {
  if (!may("operator", a.owner)) return null;
  const step = async (body: object) => { await attempt(() => ask(`/api/alarms/${a.id}`, body)); await app.refresh(); };
  const noted = async (label: string, title: string, body: (text: string) => object) => { const said = await dialog(`${title} · ${say(a.kind)}`, [{ name: "text", label }], "", say("confirm")); if (said) await step(body(said.text)); };
  const all: HTMLElement[] = [];
  if (a.state === "reported") all.push(button(say("acknowledge"), () => step({ step: "acknowledge" }), { class: "primary" }));
  if (!over(a)) {
    all.push(button(say("assign"), () => noted(say("whom"), say("assign"), (whom) => ({ step: "assign", whom }))));
    all.push(button(say("handle"), () => noted(say("note"), say("handle"), (note) => ({ step: "handle", note }))));
    all.push(button(say("resolve"), () => noted(say("why"), say("resolve"), (note) => ({ step: "resolve", note }))));
  }
  if (a.state === "resolved") all.push(button(say("real"), () => step({ step: "evaluate", real: true, note: "" })), button(say("unreal"), () => step({ step: "evaluate", real: false, note: "" })));
  return all.length ? el("p", { class: "acts" }, ...all) : null;
}

function card(a: Alarm): HTMLElement {
  const late = a.due_ms != null && a.due_ms < app.now_ms;
  const due = a.due_ms == null ? null : el("span", { class: late ? "worse" : "dim" }, late ? say("overdue") : `${say("due")} ${span(a.due_ms - app.now_ms)}`);
  return el("article", { class: a.state }, el("strong", {}, `${say(a.kind)} · `, place(a.place)), el("p", {}, told(a.text), a.count > 1 ? ` ×${a.count}` : ""), places(a),
    el("p", { class: "dim" }, `${say(a.state)} · ${time(a.raised_ms)} · ${say("atdesk")} ${a.assignee ?? a.desk} · `, due), ...a.notes.slice(-3).map((n) => el("p", { class: "dim note" }, n)), acts(a));
}

export async function alarms(): Promise<Node[]> {
  const [all, statistics] = await Promise.all([ask<Alarm[]>("/api/alarms"), ask<Statistics[]>("/api/statistics").catch(() => [])]);
  const [open, closed] = [all.filter((a) => !over(a)), all.filter(over)];
  return [el("h2", {}, say("alarms")), section(`${say("open")} · ${open.length}`, ...(open.length ? open.slice(0, 60).map(card) : [el("p", { class: "dim" }, say("nothing"))])),
    statistics.length ? section(say("answered"), table([say("kind"), `#${say("raised")}`, `#${say("acks")}`, `#${say("ress")}`, `#${say("escalated")}`, `#${say("unrealn")}`], statistics.map((s) => [say(s.kind), String(s.raised), fixed(s.acknowledge_s, 0), fixed(s.resolve_s, 0), String(s.escalated), String(s.unreal)]))) : el("span"),
    section(`${say("closed")} · ${closed.length}`, ...closed.slice(0, 30).map(card))];
}
