// The map: links by delay index, junctions by state, vehicles under way. Needs no tile server.
import * as maplibregl from "maplibre-gl";
import worker from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
type Any = any;
maplibregl.setWorkerUrl(worker);

/** Blue to red through yellow: told apart by any eye. */
const INDEX = ["interpolate", ["linear"], ["get", "index"], 0, "#3a4656", 1, "#2c7bb6", 1.8, "#abd9e9", 2.5, "#ffe37a", 4, "#fd8d3c", 6, "#d7191c"];
const STATE = ["match", ["get", "state"], "measured", "#e8eef5", "imputed", "#9db4d0", "ordered", "#d9a7ff", "base", "#ffe37a", "own", "#ffe37a", "silent", "#ff5c5c", "fault", "#ff5c5c", "#667"];

export class City {
  private map: maplibregl.Map;
  private links: Any; private junctions: Any; private byLink = new Map<string, Any>(); private byJunction = new Map<string, Any>();
  private at: (p: number[]) => [number, number];
  private ready = false;

  constructor(box: string, map: Any, pick: (id: string) => void) {
    const [lat, lon] = map.origin ?? [0, 0];
    const east = 111320 * Math.cos((lat * Math.PI) / 180);
    this.at = ([x, y]) => [lon + x / east, lat + y / 110574];
    const collection = (features: Any[]) => ({ type: "FeatureCollection", features });
    this.links = collection(map.links.map((l: Any) => {
      const f = { type: "Feature", properties: { id: l.id, index: 0, way: 0 }, geometry: { type: "LineString", coordinates: l.shape.map(this.at) } };
      this.byLink.set(l.id, f);
      return f;
    }));
    this.junctions = collection(map.junctions.map((j: Any) => {
      const f = { type: "Feature", properties: { id: j.id, state: "unheard", mark: 0 }, geometry: { type: "Point", coordinates: this.at([j.x, j.y]) } };
      this.byJunction.set(j.id, f);
      return f;
    }));
    const bounds = new maplibregl.LngLatBounds();
    this.links.features.forEach((f: Any) => f.geometry.coordinates.forEach((c: Any) => bounds.extend(c)));
    const source = (data: Any) => ({ type: "geojson", data }) as Any;
    const style: Any = {
      version: 8,
      sources: { links: source(this.links), junctions: source(this.junctions), vehicles: source(collection([])) },
      layers: [
        { id: "ground", type: "background", paint: { "background-color": "#0d1219" } },
        { id: "way", type: "line", source: "links", filter: ["==", ["get", "way"], 1], paint: { "line-color": "#59e08a", "line-width": 12, "line-opacity": 0.6 } },
        { id: "links", type: "line", source: "links", paint: { "line-color": INDEX, "line-width": 3.5, "line-offset": 2.5 } },
        { id: "junctions", type: "circle", source: "junctions", paint: { "circle-radius": ["case", ["==", ["get", "mark"], 1], 9, 5], "circle-color": STATE, "circle-stroke-color": ["case", ["==", ["get", "mark"], 1], "#58b4f0", "#0d1219"], "circle-stroke-width": 2 } },
        { id: "vehicles", type: "circle", source: "vehicles", paint: { "circle-radius": 9, "circle-color": "#59e08a", "circle-stroke-color": "#fff", "circle-stroke-width": 3 } },
      ],
    };
    this.map = new maplibregl.Map({ container: box, style, bounds, fitBoundsOptions: { padding: 30 }, attributionControl: false });
    this.map.on("load", () => { this.ready = true; this.draw("links"); this.draw("junctions"); });
    this.map.on("click", "junctions", (e: Any) => pick(e.features[0].properties.id));
    this.map.on("mouseenter", "junctions", () => { this.map.getCanvas().style.cursor = "pointer"; });
    this.map.on("mouseleave", "junctions", () => { this.map.getCanvas().style.cursor = ""; });
  }

  private draw(name: "links" | "junctions") {
    if (this.ready) (this.map.getSource(name) as Any).setData(this[name]);
  }
  index(all: Any[]) {
    for (const l of all) { const f = this.byLink.get(l.id); if (f) f.properties.index = l.index ?? 0; }
    this.draw("links");
  }
  states(all: Any[]) {
    let changed = false;
    for (const j of all) {
      const f = this.byJunction.get(j.id);
      if (f && f.properties.state !== j.state) { f.properties.state = j.state; changed = true; }
    }
    if (changed) this.draw("junctions");
  }
  vehicles(all: Any[]) {
    const features = all.map((v) => ({ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: this.at([v.x, v.y]) } }));
    if (this.ready) (this.map.getSource("vehicles") as Any).setData({ type: "FeatureCollection", features });
  }
  way(route: string[]) {
    const on = new Set(route);
    for (const [id, f] of this.byLink) f.properties.way = on.has(id) ? 1 : 0;
    this.draw("links");
  }
  mark(id: string) {
    for (const [name, f] of this.byJunction) f.properties.mark = name === id ? 1 : 0;
    this.draw("junctions");
  }
}
