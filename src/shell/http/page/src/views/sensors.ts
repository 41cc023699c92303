// Sensors and their health, those first that cannot be believed.
import { ask } from "../api";
import { app } from "../app";
import { el, link, section, span, table, uri } from "../dom";
import type { Sensor } from "../types";
import { say } from "../words";

/** In short: all good, or which are not. */
export function health(all: Sensor[], most = 200): HTMLElement {
  const bad = all.filter((s) => s.health !== "good" && s.health !== "unheard");
  const good = all.filter((s) => s.health === "good").length;
  const head = el("p", { class: "dim" }, `${good} ${say("of")} ${all.length} ${say("good")}`);
  if (bad.length === 0) return el("div", {}, head);
  return el("div", {}, head, table([say("sensors"), say("health"), `#${say("since")}`], bad.slice(0, most).map((s) => [
    el("span", {}, link(s.id, `link/${uri(s.link)}`), " ", el("small", { class: "dim" }, s.kind)), el("span", { class: "worse" }, say(s.health)),
    s.since_ms == null ? "–" : span(app.now_ms - s.since_ms)])));
}

export async function sensors(): Promise<Node[]> {
  const all = await ask<Sensor[]>("/api/sensors");
  const by = new Map<string, number>();
  for (const s of all) by.set(s.health, (by.get(s.health) ?? 0) + 1);
  return [el("h2", {}, say("sensors")), el("p", {}, ...[...by].sort((a, b) => b[1] - a[1]).map(([h, n]) => el("span", { class: `chip ${h === "good" ? "" : "odd"}` }, `${say(h)} ${n}`))),
    section(say("health"), health(all))];
}
