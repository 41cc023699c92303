// Layers of the map that are drawn with one call each: what WebGL asks of both.
import * as maplibregl from "maplibre-gl";

/** A place on MapLibre's square world, whose sides are 1. */
export interface Point { x: number; y: number }
/** A pixel of the page in that world, and how many of the screen's it is. */
export interface Camera { zoom: number; pixel: number; ratio: number }
export type Uniform = (name: string) => WebGLUniformLocation | null;
export const pixelAt = (zoom: number) => 1 / (512 * 2 ** zoom);

/** A layer of many things of one kind: triangles by index, each vertex with what never changes and what does. */
export abstract class Many implements maplibregl.CustomLayerInterface {
  readonly type = "custom" as const;
  protected looks: Uint8Array<ArrayBuffer>;
  private program: WebGLProgram | null = null;
  private map: maplibregl.Map | null = null;
  private buffers: WebGLBuffer[] = [];
  private array: WebGLVertexArrayObject | null = null;
  private dirty = true;

  /** `places` holds what never changes of one vertex after the other, beginning with its way from the middle; `order` says which three make a triangle. */
  protected constructor(readonly id: string, private shaders: [string, string], protected middle: Point,
    protected places: Float32Array, protected order: Uint32Array<ArrayBuffer>, looks: number) {
    this.looks = new Uint8Array(looks);
  }

  /** Attributes of a vertex: location, components, whether bytes; those of a kind lie one after the other. */
  protected abstract readonly attributes: [number, number, boolean][];
  protected abstract prepare(gl: WebGL2RenderingContext, at: Uniform, camera: Camera): void;
  /** What is made once, and again after the graphics card was lost. */
  protected begin(_gl: WebGL2RenderingContext) {}

  protected changed() {
    this.dirty = true;
    this.map?.triggerRepaint();
  }

  onAdd(map: maplibregl.Map, gl: WebGL2RenderingContext) {
    const program = gl.createProgram();
    [gl.VERTEX_SHADER, gl.FRAGMENT_SHADER].forEach((kind, i) => {
      const shader = gl.createShader(kind)!;
      gl.shaderSource(shader, `#version 300 es\nprecision highp float;\n${this.shaders[i]}`);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    });
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(`${this.id}: ${gl.getProgramInfoLog(program)}`);
    this.array = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    this.buffers = [0, 1, 2].map(() => gl.createBuffer());
    [this.places, this.looks].forEach((data, i) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[i]);
      gl.bufferData(gl.ARRAY_BUFFER, data, i ? gl.DYNAMIC_DRAW : gl.STATIC_DRAW);
      const of = this.attributes.filter(([, , bytes]) => bytes === (i === 1));
      const size = i ? 1 : 4, stride = of.reduce((sum, [, n]) => sum + n * size, 0);
      let at = 0;
      for (const [location, n, bytes] of of) {
        gl.enableVertexAttribArray(location);
        gl.vertexAttribPointer(location, n, bytes ? gl.UNSIGNED_BYTE : gl.FLOAT, false, stride, at);
        at += n * size;
      }
    });
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.buffers[2]);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, this.order, gl.DYNAMIC_DRAW);
    this.begin(gl);
    gl.bindVertexArray(null);
    [this.map, this.program, this.dirty] = [map, program, false];
  }

  render(gl: WebGL2RenderingContext, input: maplibregl.CustomRenderMethodInput) {
    if (!this.program || !this.map) return;
    gl.useProgram(this.program);
    gl.bindVertexArray(this.array);
    if (this.dirty) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[1]);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, this.looks);
      gl.bufferSubData(gl.ELEMENT_ARRAY_BUFFER, 0, this.order);
      this.dirty = false;
    }
    // What single precision cannot hold, the way from the world's corner to the city, is added here in double.
    const m = [...input.defaultProjectionData.mainMatrix];
    const { x, y } = this.middle;
    for (let row = 0; row < 4; row++) m[12 + row] += m[row] * x + m[4 + row] * y;
    const zoom = this.map.getZoom(), program = this.program;
    const at: Uniform = (name) => gl.getUniformLocation(program, name);
    gl.uniformMatrix4fv(at("camera"), false, new Float32Array(m));
    gl.uniform1f(at("pixel"), pixelAt(zoom));
    this.prepare(gl, at, { zoom, pixel: pixelAt(zoom), ratio: this.map.getPixelRatio() });
    gl.drawElements(gl.TRIANGLES, this.order.length, gl.UNSIGNED_INT, 0);
    gl.bindVertexArray(null);
  }
}
