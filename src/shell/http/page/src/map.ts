// The map: roads by delay index, signals by state, vehicles with their green corridor. Needs no tile server; a site's own
// style goes underneath where there is one.
import * as maplibregl from "maplibre-gl";
import worker from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { GREEN } from "./palette";
import { OFFSET, Roads } from "./roads";
import { Signals } from "./signals";
import type { CityMap, Junction, Link, State, Vehicle, Wave } from "./types";
maplibregl.setWorkerUrl(worker);

type Expression = maplibregl.ExpressionSpecification;
type Feature = GeoJSON.Feature<GeoJSON.LineString | GeoJSON.Point, Record<string, unknown>>;
/** Everything on the map grows with the letters beside it: a wall of 4K is read from afar. */
const K = parseFloat(getComputedStyle(document.documentElement).fontSize) / 13;
const BESIDE = ["interpolate", ["exponential", 1.6], ["zoom"], ...OFFSET.flatMap(([zoom, pixels]) => [zoom, pixels * K])] as unknown as Expression;

const GROUND = "#0b1118";
const BARE: maplibregl.StyleSpecification = { version: 8, sources: {}, layers: [] };

export class City {
  private map: maplibregl.Map;
  private at: (p: [number, number]) => [number, number];
  private ready: Promise<void>;
  private shapes = new Map<string, Feature>();
  private places = new Map<string, Feature>();
  private zoneOf = new Map<string, string>();
  private roads: Roads;
  private lights: Signals;
  private marked = "";
  private driving = 0;
  private route: string[] = [];

  constructor(box: HTMLElement, map: CityMap, pick: { junction(id: string): void; link(id: string): void }) {
    const [lat, lon] = map.origin ?? [0, 0];
    const east = 111320 * Math.cos((lat * Math.PI) / 180);
    this.at = ([x, y]) => [lon + x / east, lat + y / 110574];
    const flat = (p: [number, number]) => maplibregl.MercatorCoordinate.fromLngLat(this.at(p));
    for (const l of map.links) {
      this.zoneOf.set(l.id, l.zone);
      this.shapes.set(l.id, { type: "Feature", properties: { id: l.id }, geometry: { type: "LineString", coordinates: l.shape.map(this.at) } });
    }
    for (const j of map.junctions) this.places.set(j.id, { type: "Feature", properties: { id: j.id }, geometry: { type: "Point", coordinates: this.at([j.x, j.y]) } });
    const bounds = this.bounds([...this.shapes.values()]);
    const middle = maplibregl.MercatorCoordinate.fromLngLat(bounds.isEmpty() ? this.at([0, 0]) : bounds.getCenter());
    this.roads = new Roads(map.links.map((l) => ({ id: l.id, zone: l.zone, line: l.shape.map(flat) })), middle, K);
    this.lights = new Signals(map.junctions.map((j) => ({ id: j.id, at: flat([j.x, j.y]) })), middle, K);
    box.style.background = GROUND;
    this.map = new maplibregl.Map({ container: box, style: map.style ?? BARE, bounds, fitBoundsOptions: { padding: 48 * K }, attributionControl: map.style ? { compact: true } : false, fadeDuration: 0, dragRotate: false, pitchWithRotate: false, touchPitch: false });
    this.map.touchZoomRotate.disableRotation();
    // Again where the graphics card was lost: the map takes up its own layers, and not these.
    let styled = false;
    this.ready = new Promise((done) => this.map.on("style.load", () => { styled = true; this.layers(); done(); }));
    // A style that cannot be had must not take the city with it.
    this.map.on("error", (e) => { console.warn(e.error?.message); if (!styled) { styled = true; this.map.setStyle(BARE); } });
    this.map.once("idle", () => { box.dataset.drawn = ""; });
    const signal = (e: maplibregl.MapMouseEvent) => this.lights.near(maplibregl.MercatorCoordinate.fromLngLat(e.lngLat), 10 * K, this.map.getZoom());
    const road = (e: maplibregl.MapMouseEvent) => this.roads.near(maplibregl.MercatorCoordinate.fromLngLat(e.lngLat), 6 * K, this.map.getZoom());
    const tip = new maplibregl.Popup({ closeButton: false, closeOnClick: false, offset: 12, className: "tip" });
    this.map.on("click", (e) => {
      const [at, along] = [signal(e), road(e)];
      if (at) pick.junction(at); else if (along) pick.link(along);
    });
    this.map.on("mousemove", (e) => {
      if (e.originalEvent.buttons) return; // who drags the map does not point at anything
      const found = signal(e) ?? road(e);
      this.map.getCanvas().style.cursor = found ? "pointer" : "";
      if (!found) return void tip.remove();
      tip.setLngLat(e.lngLat).setText(found).addTo(this.map);
    });
  }

  private layers() {
    const none: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };
    for (const name of ["way", "mark", "vehicles", "gates"]) if (!this.map.getSource(name)) this.map.addSource(name, { type: "geojson", data: none });
    const put = (layer: maplibregl.AddLayerObject, before?: string) => { if (!this.map.getLayer(layer.id)) this.map.addLayer(layer, before && this.map.getLayer(before) ? before : undefined); };
    const round = { "line-cap": "round" as const, "line-join": "round" as const };
    put(this.roads, "way");
    put({ id: "way", type: "line", source: "way", layout: round, paint: { "line-color": GREEN, "line-width": 9 * K, "line-opacity": 0.45, "line-offset": BESIDE } });
    put({ id: "way-core", type: "line", source: "way", layout: round, paint: { "line-color": "#d8fff0", "line-width": 1.5 * K, "line-offset": BESIDE } });
    put({ id: "gates", type: "circle", source: "gates", paint: { "circle-radius": 11 * K, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": GREEN, "circle-stroke-width": 2.5 * K } });
    put(this.lights, "mark");
    put({ id: "mark", type: "circle", source: "mark", paint: { "circle-radius": 15 * K, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": "#ffffff", "circle-stroke-width": 2 * K } });
    put({ id: "vehicles", type: "circle", source: "vehicles", paint: { "circle-radius": 8 * K, "circle-color": "#ffffff", "circle-stroke-color": GREEN, "circle-stroke-width": 4 * K } });
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
  index(all: Link[]) { this.roads.index(all); }
  /** The states of these signals, as far as they changed; how many there are of each. */
  signals(all: Pick<Junction, "id" | "state">[]) { this.lights.state(all); }
  counts(): Map<State, number> { return this.lights.counts(); }
  vehicles(all: Vehicle[]) {
    if (all.length + this.driving === 0) return;
    this.driving = all.length;
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
    this.roads.look(zones);
    const bounds = this.bounds([...this.shapes].filter(([id]) => inside(id)).map(([, f]) => f));
    if (!bounds.isEmpty()) this.map.fitBounds(bounds, { padding: 48 * K, duration: 500, maxZoom: 17 });
  }
  resize() { this.map.resize(); }
}
