// All roads in one draw, each in the colour and width of its delay index, beside the road that leads back. Where a
// processor has to draw them, MapLibre's own lines cost four times as much.
import { Many, pixelAt, type Camera, type Point, type Uniform } from "./gl";
import { colour } from "./palette";

export interface Road { id: string; zone: string; line: Point[] }

const VERTEX = `
layout(location = 0) in vec2 place;
layout(location = 1) in vec3 across;
layout(location = 2) in vec4 look;
layout(location = 3) in float wide;
uniform mat4 camera;
uniform float pixel, ratio, width, offset;
out vec4 paint; out vec2 edge;
void main() {
  float half_width = 0.5 * width * wide / 64.0 + 0.5 / ratio;
  edge = vec2(across.z, half_width * ratio);
  paint = look / 255.0;
  vec2 at = place + across.xy * (offset + across.z * half_width) * pixel;
  gl_Position = camera * vec4(at, 0.0, 1.0);
}`;
const FRAGMENT = `
in vec4 paint; in vec2 edge;
out vec4 shown;
void main() { shown = vec4(paint.rgb, 1.0) * (paint.a * min(1.0, (1.0 - abs(edge.x)) * edge.y)); }`;

/** Between stops as MapLibre does it, with a base of 1.6: zoom, then pixels. */
export function atZoom(stops: [number, number][], zoom: number): number {
  const next = stops.findIndex(([z]) => z > zoom);
  if (next < 1) return stops.at(next < 0 ? -1 : 0)![1];
  const [[z0, v0], [z1, v1]] = [stops[next - 1], stops[next]];
  return v0 + ((v1 - v0) * (1.6 ** (zoom - z0) - 1)) / (1.6 ** (z1 - z0) - 1);
}
export const OFFSET: [number, number][] = [[10, 0.6], [13, 1.6], [15, 3], [18, 11]];
const WIDTH: [number, number][] = [[10, 0.7], [13, 1.8], [15, 3.2], [18, 11]];
/** Congested roads are wider, not only of another colour. */
const wide = (index: number) => (index <= 2 ? 1 + 0.35 * Math.max(0, index - 1) : Math.min(2, 1.35 + 0.325 * (index - 2)));

/** Numbers of a vertex: its place, to the right of the road and which side of it; and bytes: colour, opacity, width. */
const NUMBERS = 5, BYTES = 5;

export class Roads extends Many {
  protected readonly attributes: [number, number, boolean][] = [[0, 2, false], [1, 3, false], [2, 4, true], [3, 1, true]];
  /** The vertices of each. */
  private of = new Map<string, [number, number]>();

  constructor(private roads: Road[], middle: Point, private scale: number) {
    const points = roads.reduce((sum, r) => sum + r.line.length, 0);
    super("links", [VERTEX, FRAGMENT], middle, new Float32Array(points * 2 * NUMBERS), new Uint32Array((points - roads.length) * 6), points * 2 * BYTES);
    let at = 0, triangle = 0;
    for (const { id, line } of roads) {
      this.of.set(id, [at, at + line.length * 2]);
      line.forEach((p, i) => {
        for (const side of [-1, 1]) this.places.set([p.x - middle.x, p.y - middle.y, ...across(line, i), side], at++ * NUMBERS);
        if (i) { this.order.set([at - 4, at - 3, at - 2, at - 3, at - 1, at - 2], triangle); triangle += 6; }
      });
    }
    this.index(roads.map(({ id }) => ({ id, index: null })));
    this.look(null);
  }

  /** The delay index of these roads. */
  index(all: { id: string; index: number | null }[]) {
    for (const { id, index } of all) {
      const [from, to] = this.of.get(id) ?? [0, 0];
      const look = colour(index), width = Math.round(64 * wide(index ?? 1));
      for (let v = from * BYTES; v < to * BYTES; v += BYTES) { this.looks.set(look, v); this.looks[v + 4] = width; }
    }
    this.changed();
  }
  /** Those of these zones stand out; all of them without any. */
  look(zones: Set<string> | null) {
    for (const { id, zone } of this.roads) {
      const [from, to] = this.of.get(id)!;
      for (let v = from; v < to; v++) this.looks[v * BYTES + 3] = !zones || zones.has(zone) ? 255 : 77;
    }
    this.changed();
  }
  /** The road that is drawn nearest to a place, within so many pixels. */
  near(place: Point, pixels: number, zoom: number): string | null {
    const pixel = pixelAt(zoom), offset = atZoom(OFFSET, zoom) * this.scale * pixel;
    const [x, y, p] = [place.x - this.middle.x, place.y - this.middle.y, this.places];
    let best: string | null = null, least = (pixels * pixel) ** 2;
    for (const [id, [from, to]] of this.of) {
      for (let a = from * NUMBERS, b = a + 2 * NUMBERS; b < to * NUMBERS; a = b, b += 2 * NUMBERS) {
        const [ax, ay] = [p[a] + p[a + 2] * offset, p[a + 1] + p[a + 3] * offset];
        const [dx, dy] = [p[b] + p[b + 2] * offset - ax, p[b + 1] + p[b + 3] * offset - ay];
        const along = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
        const far = (ax + along * dx - x) ** 2 + (ay + along * dy - y) ** 2;
        if (far < least) [least, best] = [far, id];
      }
    }
    return best;
  }

  protected prepare(gl: WebGL2RenderingContext, at: Uniform, { zoom, ratio }: Camera) {
    gl.uniform1f(at("ratio"), ratio);
    gl.uniform1f(at("width"), atZoom(WIDTH, zoom) * this.scale);
    gl.uniform1f(at("offset"), atZoom(OFFSET, zoom) * this.scale);
  }
}

/** To the right of a line at its point `i`; longer at a bend, so that both sides stay parallel, but not without end. */
function across(line: Point[], i: number): [number, number] {
  const right = (a: Point, b: Point): [number, number] => {
    const [dx, dy] = [b.x - a.x, b.y - a.y], length = Math.hypot(dx, dy) || 1;
    return [-dy / length, dx / length];
  };
  const after = i + 1 < line.length ? right(line[i], line[i + 1]) : right(line[i - 1], line[i]);
  const before = i > 0 ? right(line[i - 1], line[i]) : after;
  const sum: [number, number] = [before[0] + after[0], before[1] + after[1]];
  const square = Math.max(sum[0] ** 2 + sum[1] ** 2, 1);
  return [(2 * sum[0]) / square, (2 * sum[1]) / square];
}
