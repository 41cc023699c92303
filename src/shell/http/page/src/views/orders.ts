// Orders that wait for a second person, and what came of one's own; the record of everything done.
import { ask } from "../api";
import { app, attempt, tell } from "../app";
import { button, date, el, section, table, time } from "../dom";
import type { Deed, Order, Orders } from "../types";
import { say } from "../words";

/** An order in words. */
export function words(order: Order["action"]): string {
  const { kind, ...rest } = order;
  const name = kind === "green_wave" ? say("newwave") : say(kind).replace("…", "");
  return `${name}: ${Object.values(rest).filter((v) => v !== null).join(", ")}`;
}

export async function orders(): Promise<Node[]> {
  const all = await ask<Orders>("/api/commands").catch(() => ({ waiting: [], outcomes: [] }) as Orders);
  const approve = async (id: string) => { const got = await attempt(() => ask<{ state: string }>(`/api/commands/${id}/approve`, {})); if (got) tell(say(got.state)); await app.refresh(); };
  return [el("h2", {}, say("orders")),
    section(say("waiting"), ...(all.waiting.length ? all.waiting.map((w) => el("article", { class: "reported" }, el("strong", {}, words(w.order.action)), el("p", { class: "dim" }, `${w.who} · ${time(w.since_ms)}${w.order.reason ? ` · ${w.order.reason}` : ""}`),
      w.who === app.me.name ? null : el("p", { class: "acts" }, button(say("approve"), () => approve(w.id), { class: "primary" })))) : [el("p", { class: "dim" }, say("nothing"))])),
    section(say("outcomes"), ...(all.outcomes.length ? [table(["", "", ""], all.outcomes.slice(-30).reverse().map((o) => [time(o.at_ms), el("span", { class: o.done ? "better" : "worse" }, o.done ? "✓" : "✗"), o.text]))] : [el("p", { class: "dim" }, say("nothing"))]))];
}

function deed(what: string): string {
  try { return words(JSON.parse(what)); } catch { return what; }
}

export async function audit(): Promise<Node[]> {
  const all = await ask<Deed[]>("/api/audit");
  return [el("h2", {}, say("audit")), ...all.slice(0, 200).map((r) => el("article", { class: "over" }, el("strong", {}, deed(r.what)),
    el("p", {}, `${r.who} · ${r.zones.join(", ")}${r.why ? ` · ${r.why}` : ""}`),
    el("p", { class: "dim" }, `#${r.seq} · ${date(r.at_ms)} ${time(r.at_ms)} · ${[r.before, r.after].filter(Boolean).join(" → ")} · ${r.hash.slice(0, 12)}`)))];
}
