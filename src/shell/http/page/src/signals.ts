// All signals in one draw, each with the mark of its state; those that need an eye lie on top.
import { Many, pixelAt, type Camera, type Point, type Uniform } from "./gl";
import { STATES, draw } from "./palette";
import type { State } from "./types";

const VERTEX = `
layout(location = 0) in vec2 place;
layout(location = 1) in vec2 corner;
layout(location = 2) in float state;
uniform mat4 camera;
uniform float pixel, size;
out vec2 at;
void main() {
  at = vec2((state + 0.5 + 0.5 * corner.x) / ${Object.keys(STATES).length}.0, 0.5 + 0.5 * corner.y);
  gl_Position = camera * vec4(place + corner * size * pixel, 0.0, 1.0);
}`;
const FRAGMENT = `
in vec2 at;
uniform sampler2D marks;
out vec4 shown;
void main() { shown = texture(marks, at); }`;

const NAMES = Object.keys(STATES) as State[];
const URGENT: Partial<Record<State, number>> = { fault: 2, silent: 2, own: 1, base: 1, ordered: 1 };
/** Half the side of a mark, pixels, by zoom. */
const SIZE: [number, number][] = [[10, 3.4], [12.5, 6], [15, 10], [18, 17]];
/** The side of a mark's picture: smaller ones are made of it by halves. */
const PICTURE = 64;

export class Signals extends Many {
  protected readonly attributes: [number, number, boolean][] = [[0, 2, false], [1, 2, false], [2, 1, true]];
  private rows = new Map<string, number>();
  private states: State[];

  constructor(private all: { id: string; at: Point }[], middle: Point, private scale: number) {
    super("junctions", [VERTEX, FRAGMENT], middle, new Float32Array(all.length * 16), new Uint32Array(all.length * 6), all.length * 4);
    all.forEach(({ id, at }, row) => {
      this.rows.set(id, row);
      const [x, y] = [at.x - middle.x, at.y - middle.y];
      this.places.set([x, y, -1, -1, x, y, 1, -1, x, y, -1, 1, x, y, 1, 1], row * 16);
    });
    this.states = all.map(() => "unheard");
    this.show();
  }

  /** The states of these signals, as far as they changed. */
  state(changed: { id: string; state: State }[]) {
    let news = false;
    for (const { id, state } of changed) {
      const row = this.rows.get(id);
      if (row === undefined || this.states[row] === state) continue;
      [this.states[row], news] = [state, true];
    }
    if (news) this.show();
  }
  private show() {
    this.states.forEach((state, row) => this.looks.fill(NAMES.indexOf(state), row * 4, row * 4 + 4));
    let at = 0;
    for (const urgent of [0, 1, 2]) {
      this.states.forEach((state, row) => {
        if ((URGENT[state] ?? 0) !== urgent) return;
        const v = row * 4;
        this.order.set([v, v + 1, v + 2, v + 1, v + 3, v + 2], at);
        at += 6;
      });
    }
    this.changed();
  }
  counts(): Map<State, number> {
    const counts = new Map<State, number>();
    for (const state of this.states) counts.set(state, (counts.get(state) ?? 0) + 1);
    return counts;
  }
  /** The signal nearest to a place, within so many pixels. */
  near(place: Point, pixels: number, zoom: number): string | null {
    let [best, least]: [string | null, number] = [null, pixels * pixelAt(zoom)];
    for (const { id, at } of this.all) {
      const far = Math.hypot(at.x - place.x, at.y - place.y);
      if (far < least) [best, least] = [id, far];
    }
    return best;
  }

  protected begin(gl: WebGL2RenderingContext) {
    const picture = new OffscreenCanvas(PICTURE * NAMES.length, PICTURE), pen = picture.getContext("2d")!;
    NAMES.forEach((state, i) => {
      pen.setTransform(PICTURE / 24, 0, 0, PICTURE / 24, i * PICTURE, 0);
      draw(pen, state);
    });
    gl.bindTexture(gl.TEXTURE_2D, (this.marks = gl.createTexture()));
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  }
  private marks: WebGLTexture | null = null;

  protected prepare(gl: WebGL2RenderingContext, at: Uniform, { zoom }: Camera) {
    const next = Math.max(1, SIZE.findIndex(([z]) => z > zoom)), [[z0, s0], [z1, s1]] = [SIZE[next - 1], SIZE[next]];
    const size = s0 + (s1 - s0) * Math.max(0, Math.min(1, (zoom - z0) / (z1 - z0)));
    gl.uniform1f(at("size"), size * this.scale);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.marks);
    gl.uniform1i(at("marks"), 0);
  }
}
