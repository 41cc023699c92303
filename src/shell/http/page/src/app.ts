// What every view shares: who is asking, the city as last heard, and small dialogs.
import { ask } from "./api";
import { button, el } from "./dom";
import type { City } from "./map";
import type { CityMap, Link, Me, Role, Zone } from "./types";
import { say } from "./words";

const RANK: Role[] = ["viewer", "operator", "engineer", "administrator"];

export const app = {
  me: null as unknown as Me,
  map: null as unknown as CityMap,
  city: null as unknown as City,
  zones: new Map<string, Zone>(),
  links: [] as Link[],
  now_ms: 0,
  side: el("aside", { id: "side", tabindex: "-1" }),
  /** Draws the view again. */
  refresh: async () => {},
  /** A click on a road of the map goes here first. */
  pick: null as ((id: string) => void) | null,
};

/** The zone and all above it that are visible, the nearest first. */
export function above(zone: string): string[] {
  const chain: string[] = [];
  for (let at: string | null = zone; at && !chain.includes(at); at = app.zones.get(at)?.parent ?? null) chain.push(at);
  return chain;
}
export const below = (zone: string) => new Set([...app.zones.keys()].filter((z) => above(z).includes(zone)));
/** The server decides; the page only greys out what it would refuse. */
export function may(role: Role, zone: string): boolean {
  const chain = above(zone);
  return app.me.grants.some((g) => chain.includes(g.zone) && RANK.indexOf(g.role) >= RANK.indexOf(role));
}
export const home = () => app.me.grants[0]?.zone ?? "";

let up: Promise<unknown> = Promise.resolve();
addEventListener("pointerdown", () => {
  const end = new Promise((done) => ["pointerup", "pointercancel"].forEach((kind) => addEventListener(kind, () => setTimeout(done), { once: true, capture: true })));
  up = Promise.race([end, new Promise((done) => setTimeout(done, 2000))]);
}, true);
/** When no button is down: what lies under one must not be exchanged, or the click goes nowhere. */
export const released = () => up;

const note = el("div", { id: "note", role: "alert" });
export const noteBox = note;
export function tell(text: string, bad = false) {
  note.textContent = text;
  note.className = bad ? "bad" : "";
  clearTimeout(Number(note.dataset.timer));
  note.dataset.timer = String(setTimeout(() => { note.textContent = ""; }, 7000));
}
/** Does something with the API and says why where it cannot. */
export async function attempt<T>(doing: () => Promise<T>): Promise<T | undefined> {
  try { return await doing(); } catch (e) { tell((e as Error).message, true); return undefined; }
}

export interface Field { name: string; label: string; type?: string; value?: string; options?: [string, string][]; required?: boolean; max?: number }

/** Asks for a few things in a dialog; nothing where it is called off. */
export function dialog(title: string, fields: Field[], hint = "", yes = say("confirm")): Promise<Record<string, string> | null> {
  return new Promise((done) => {
    const input = (f: Field) => f.options
      ? el("select", { name: f.name }, ...f.options.map(([value, text]) => el("option", { value, selected: value === f.value }, text)))
      : el("input", { name: f.name, type: f.type ?? "text", value: f.value ?? "", required: f.required ?? false, maxlength: String(f.max ?? 400), min: "1", autocomplete: "off" });
    const form: HTMLFormElement = el("form", { method: "dialog" }, el("h2", {}, title), ...fields.map((f) => el("label", {}, f.label, input(f))),
      hint ? el("p", { class: "dim" }, hint) : null,
      el("p", { class: "acts" }, el("button", { class: "primary", value: "yes" }, yes), button(say("close"), () => box.close())));
    const box: HTMLDialogElement = el("dialog", {}, form);
    box.addEventListener("close", () => {
      const data = Object.fromEntries([...new FormData(form)].map(([k, v]) => [k, String(v)]));
      box.remove();
      done(box.returnValue === "yes" ? data : null);
    });
    document.body.append(box);
    box.showModal();
  });
}

type Action = { kind: string } & Record<string, unknown>;
/** Asks why, and gives the order. */
export async function order(what: string, action: Action, fields: Field[] = [], fill: (said: Record<string, string>) => object = () => ({})) {
  const hint = app.me.dual.includes(action.kind) ? say("dual") : "";
  const said = await dialog(what, [...fields, { name: "reason", label: say("why") }], hint);
  if (!said) return;
  const at = location.hash;
  const got = await attempt(() => ask<{ id: string; state: string }>("/api/commands", { action: { ...action, ...fill(said) }, reason: said.reason }));
  if (got) tell(`${say(got.state)} · ${what.split(" · ")[0]}`);
  setTimeout(() => { if (location.hash === at) void app.refresh(); }, 1200);
}
