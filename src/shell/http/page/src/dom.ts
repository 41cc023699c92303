// Building blocks of the screen: elements, figures, tables.
type Kid = Node | string | null | undefined | false;
type Props = Record<string, string | boolean | EventListener | ((e: never) => unknown)>;

export function el<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...kids: Kid[]): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (typeof value === "function") node.addEventListener(key.slice(2), value as EventListener);
    else if (value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...kids.filter((k): k is Node | string => k !== null && k !== undefined && k !== false));
  return node;
}

export function svg(tag: string, props: Record<string, string | number> = {}, ...kids: (Node | string)[]): SVGElement {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, String(value));
  node.append(...kids);
  return node;
}

export const uri = encodeURIComponent;
export const fixed = (x: number | null | undefined, digits = 2) => (x == null ? "–" : x.toFixed(digits));
/** A delay index: beyond 99 nobody counts. */
export const index = (x: number | null) => (x != null && x > 99 ? "> 99" : fixed(x));

/** m:ss, or h:mm:ss. */
export function span(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  const pad = (n: number) => String(n).padStart(2, "0");
  return s < 3600 ? `${Math.floor(s / 60)}:${pad(s % 60)}` : `${Math.floor(s / 3600)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`;
}

let offset_min = 0;
export const setOffset = (minutes: number) => { offset_min = minutes; };
export const local_s = (ms: number) => ms / 1000 + offset_min * 60;
/** The city's own time of day. */
export const time = (ms: number) => new Date(ms + offset_min * 60000).toISOString().slice(11, 19);
export const date = (ms: number) => new Date(ms + offset_min * 60000).toISOString().slice(0, 10);

/** A table; columns whose head begins with # are figures. */
export function table(head: string[], body: Kid[][], props: Props = {}): HTMLElement {
  const figure = head.map((h) => h.startsWith("#"));
  const row = (tag: "th" | "td", cells: Kid[]) => el("tr", {}, ...cells.map((c, i) => el(tag, figure[i] ? { class: "n" } : {}, c)));
  return el("table", props, el("thead", {}, row("th", head.map((h) => h.replace(/^#/, "")))), el("tbody", {}, ...body.map((r) => row("td", r))));
}

export const section = (title: string, ...kids: Kid[]) => el("section", {}, el("h3", {}, title), ...kids);
/** A name that may be broken where it has a sign. */
const broken = (name: string) => name.split(/(?<=[>/])/).flatMap((part, i) => (i ? [el("wbr"), part] : [part]));
export const link = (text: string, to: string) => el("a", { href: `#/${to}` }, ...broken(text));
export const button = (text: string, act: (e: Event) => unknown, props: Props = {}) => el("button", { type: "button", onclick: act, ...props }, text);
