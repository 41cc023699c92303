// The map: roads by delay index, signals by state, vehicles with their green corridor. Needs no tile server; a site's own
// style goes underneath where there is one.
import * as maplibregl from "maplibre-gl";
import worker from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { GREEN, INDEX, NOTHING, STATES, draw } from "./palette";
import type { CityMap, Junction, Link, State, Vehicle, Wave } from "./types";
maplibregl.setWorkerUrl(worker);

type Expression = maplibregl.ExpressionSpecification;
type Feature = GeoJSON.Feature<GeoJSON.LineString | GeoJSON.Point, Record<string, unknown>>;
const INDEX_NOW: Expression = ["coalesce", ["feature-state", "index"], 0];
const steps = (of: (step: [number, string]) => unknown) => INDEX.flatMap((step) => [step[0], of(step)]);
const COLOUR = ["case", ["<", INDEX_NOW, 1], NOTHING, ["interpolate", ["linear"], INDEX_NOW, ...steps((s) => s[1])]] as unknown as Expression;
/** Everything on the map grows with the letters beside it: a wall of 4K is read from afar. */
const K = parseFloat(getComputedStyle(document.documentElement).fontSize) / 13;
const zoomed = (kind: (string | number)[], ...at: [number, unknown][]) => ["interpolate", kind, ["zoom"], ...at.flat()] as unknown as Expression;
/** Congested roads are wider, not only of another colour. */
const wide = (at: number) => ["interpolate", ["linear"], INDEX_NOW, 1, at * K, 2, at * 1.35 * K, 4, at * 2 * K];
const WIDTH = zoomed(["exponential", 1.6], [10, wide(0.7)], [13, wide(1.8)], [15, wide(3.2)], [18, wide(11)]);
const OFFSET = zoomed(["exponential", 1.6], [10, 0.6 * K], [13, 1.6 * K], [15, 3 * K], [18, 11 * K]);
const SIZE = zoomed(["linear"], [10, 0.28 * K], [12.5, 0.5 * K], [15, 0.85 * K], [18, 1.4 * K]);

export class City {
  private map: maplibregl.Map;
  private at: (p: [number, number]) => [number, number];
  private ready: Promise<void>;
  private states = new Map<string, State>();
  private zoneOf = new Map<string, string>();
  private shapes = new Map<string, Feature>();
  private places = new Map<string, Feature>();
  private marked = "";
  private route: string[] = [];

  constructor(box: HTMLElement, map: CityMap, pick: { junction(id: string): void; link(id: string): void }) {
    const [lat, lon] = map.origin ?? [0, 0];
    const east = 111320 * Math.cos((lat * Math.PI) / 180);
    this.at = ([x, y]) => [lon + x / east, lat + y / 110574];
    for (const l of map.links) {
      this.zoneOf.set(l.id, l.zone);
      this.shapes.set(l.id, { type: "Feature", properties: { id: l.id }, geometry: { type: "LineString", coordinates: l.shape.map(this.at) } });
    }
    for (const j of map.junctions) {
      this.places.set(j.id, { type: "Feature", properties: { id: j.id, state: "unheard" }, geometry: { type: "Point", coordinates: this.at([j.x, j.y]) } });
    }
    const bounds = this.bounds([...this.shapes.values()]);
    const under = map.style ?? { version: 8 as const, sources: {}, layers: [{ id: "ground", type: "background" as const, paint: { "background-color": "#0b1118" } }] };
    this.map = new maplibregl.Map({ container: box, style: under, bounds, fitBoundsOptions: { padding: 48 * K }, attributionControl: map.style ? { compact: true } : false, fadeDuration: 0, dragRotate: false, pitchWithRotate: false });
    this.map.touchZoomRotate.disableRotation();
    this.ready = new Promise((done) => this.map.on("load", () => { this.layers(); done(); }));
    this.map.once("idle", () => { box.dataset.drawn = ""; });
    const junction = (e: maplibregl.MapMouseEvent) => this.map.queryRenderedFeatures(around(e.point, 6), { layers: ["junctions"] })[0];
    const link = (e: maplibregl.MapMouseEvent) => this.map.queryRenderedFeatures(around(e.point, 5), { layers: ["links"] })[0];
    const tip = new maplibregl.Popup({ closeButton: false, closeOnClick: false, offset: 12, className: "tip" });
    this.map.on("click", (e) => {
      const [at, along] = [junction(e), link(e)];
      if (at) pick.junction(String(at.properties.id)); else if (along) pick.link(String(along.properties.id));
    });
    this.map.on("mousemove", (e) => {
      if (e.originalEvent.buttons) return; // who drags the map does not point at anything
      const found = junction(e) ?? link(e);
      this.map.getCanvas().style.cursor = found ? "pointer" : "";
      if (!found) return void tip.remove();
      tip.setLngLat(e.lngLat).setText(String(found.properties.id)).addTo(this.map);
    });
  }

  private layers() {
    for (const state of Object.keys(STATES) as State[]) {
      const canvas = new OffscreenCanvas(48, 48);
      const pen = canvas.getContext("2d")!;
      pen.scale(2, 2); draw(pen as unknown as CanvasRenderingContext2D, state);
      this.map.addImage(state, pen.getImageData(0, 0, 48, 48), { pixelRatio: 2 });
    }
    const source = (features: Feature[]): maplibregl.SourceSpecification => ({ type: "geojson", promoteId: "id", data: { type: "FeatureCollection", features } });
    this.map.addSource("links", source([...this.shapes.values()]));
    this.map.addSource("junctions", source([...this.places.values()]));
    for (const name of ["way", "mark", "vehicles", "gates"]) this.map.addSource(name, source([]));
    const round = { "line-cap": "round" as const, "line-join": "round" as const };
    // Ten thousand roads without round ends: they are half of what there is to draw, and hidden by the signals.
    this.map.addLayer({ id: "links", type: "line", source: "links", layout: { "line-join": "bevel" }, paint: { "line-color": COLOUR, "line-width": WIDTH, "line-offset": OFFSET, "line-opacity": ["case", ["boolean", ["feature-state", "dim"], false], 0.3, 1] } });
    this.map.addLayer({ id: "way", type: "line", source: "way", layout: round, paint: { "line-color": GREEN, "line-width": 9 * K, "line-opacity": 0.45, "line-offset": OFFSET } });
    this.map.addLayer({ id: "way-core", type: "line", source: "way", layout: round, paint: { "line-color": "#d8fff0", "line-width": 1.5 * K, "line-offset": OFFSET } });
    this.map.addLayer({ id: "gates", type: "circle", source: "gates", paint: { "circle-radius": 11 * K, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": GREEN, "circle-stroke-width": 2.5 * K } });
    this.map.addLayer({ id: "junctions", type: "symbol", source: "junctions", layout: { "icon-image": ["get", "state"], "icon-size": SIZE, "icon-allow-overlap": true, "icon-ignore-placement": true, "symbol-sort-key": ["match", ["get", "state"], ["fault", "silent"], 2, ["own", "base", "ordered"], 1, 0] } });
    this.map.addLayer({ id: "mark", type: "circle", source: "mark", paint: { "circle-radius": 15 * K, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": "#ffffff", "circle-stroke-width": 2 * K } });
    this.map.addLayer({ id: "vehicles", type: "circle", source: "vehicles", paint: { "circle-radius": 8 * K, "circle-color": "#ffffff", "circle-stroke-color": GREEN, "circle-stroke-width": 4 * K } });
  }

  private bounds(features: Feature[]) {
    const all = new maplibregl.LngLatBounds();
    for (const f of features) {
      const points = f.geometry.type === "Point" ? [f.geometry.coordinates] : f.geometry.coordinates;
      points.forEach((c) => all.extend(c as [number, number]));
    }
    return all;
  }
  private set(name: string, features: (Feature | undefined)[]) {
    void this.ready.then(() => (this.map.getSource(name) as maplibregl.GeoJSONSource).setData({ type: "FeatureCollection", features: features.filter((f): f is Feature => Boolean(f)) }));
  }

  /** The delay index of these roads. */
  index(all: Link[]) {
    void this.ready.then(() => all.forEach((l) => this.map.setFeatureState({ source: "links", id: l.id }, { index: l.index ?? 0 })));
  }
  /** The states of these signals, as far as they changed; how many there are of each. */
  signals(all: Pick<Junction, "id" | "state">[]) {
    const changed = all.filter((j) => this.places.has(j.id) && this.states.get(j.id) !== j.state);
    for (const j of changed) { this.states.set(j.id, j.state); this.places.get(j.id)!.properties.state = j.state; }
    if (changed.length === 0) return;
    const update = changed.map((j) => ({ id: j.id, addOrUpdateProperties: [{ key: "state", value: j.state }] }));
    void this.ready.then(() => (this.map.getSource("junctions") as maplibregl.GeoJSONSource).updateData({ update }));
  }
  counts(): Map<State, number> {
    const counts = new Map<State, number>();
    for (const state of this.states.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
    return counts;
  }
  vehicles(all: Vehicle[]) {
    this.set("vehicles", all.map((v) => ({ type: "Feature", properties: { id: v.vehicle }, geometry: { type: "Point", coordinates: this.at([v.x, v.y]) } })));
  }
  /** Green corridors under way, and the one that is only looked at. */
  waves(all: Wave[], preview: string[] = this.route) {
    this.route = preview;
    const active = all.filter((w) => w.live);
    this.set("way", [...new Set([...active.flatMap((w) => w.route), ...preview])].map((id) => this.shapes.get(id)));
    this.set("gates", active.flatMap((w) => w.gates).map((g) => this.places.get(g.junction)));
  }
  /** Rings a junction; nothing without one. Moves there if it is out of sight. */
  mark(id: string) {
    if (id === this.marked) return;
    this.marked = id;
    const place = this.places.get(id);
    this.set("mark", [place]);
    if (!place || place.geometry.type !== "Point") return;
    const at = place.geometry.coordinates as [number, number];
    if (!this.map.getBounds().contains(at)) this.map.easeTo({ center: at, duration: 400 });
  }
  /** Looks at roads, or at those of some zones; the others step back. */
  look(zones: Set<string> | null) {
    const inside = (id: string) => !zones || zones.has(this.zoneOf.get(id) ?? "");
    void this.ready.then(() => { for (const id of this.shapes.keys()) this.map.setFeatureState({ source: "links", id }, { dim: !inside(id) }); });
    const bounds = this.bounds([...this.shapes].filter(([id]) => inside(id)).map(([, f]) => f));
    if (!bounds.isEmpty()) this.map.fitBounds(bounds, { padding: 48 * K, duration: 500, maxZoom: 17 });
  }
  resize() { this.map.resize(); }
}

const around = (p: maplibregl.Point, r: number): [maplibregl.PointLike, maplibregl.PointLike] => [[p.x - r, p.y - r], [p.x + r, p.y + r]];
