// Colours and shapes. Normal is quiet; what needs an eye is bright. Told apart without hue as well: congestion by width,
// states by shape.
import type { State } from "./types";

/** Delay index and its colour; the same steps everywhere. */
export const INDEX: [number, string][] = [[1, "#2f4a61"], [1.5, "#4d93c7"], [2, "#f1e08a"], [3, "#f59b3f"], [4, "#ff5d4f"]];
export const NOTHING = "#222d39";

/** The colour of a road with this delay index: red, green, blue. */
export function colour(index: number | null): number[] {
  const rgb = (hex: string) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  if (index == null || index < 1) return rgb(NOTHING);
  const next = INDEX.findIndex(([at]) => at > index);
  if (next < 1) return rgb(INDEX.at(-1)![1]);
  const [[low, from], [high, to]] = [INDEX[next - 1], INDEX[next]];
  const there = rgb(to);
  return rgb(from).map((c, i) => c + ((there[i] - c) * (index - low)) / (high - low));
}

/** The class of a delay index: a zone's bounds are narrower than a road's. */
export const grade = (index: number | null, road = false) => {
  const [slow, congested, severe] = road ? [1.5, 2, 4] : [1.5, 1.8, 2.2];
  return index == null ? "none" : index < slow ? "smooth" : index < congested ? "slow" : index < severe ? "congested" : "severe";
};

export const STATES: Record<State, { colour: string; shape: "dot" | "ring" | "square" | "triangle" | "diamond" | "cross" }> = {
  measured: { colour: "#a9bbcc", shape: "dot" }, imputed: { colour: "#a9bbcc", shape: "ring" },
  ordered: { colour: "#c9a2ff", shape: "square" }, base: { colour: "#f1e08a", shape: "triangle" },
  own: { colour: "#f59b3f", shape: "triangle" }, silent: { colour: "#ff5d4f", shape: "cross" },
  fault: { colour: "#ff5d4f", shape: "diamond" }, unheard: { colour: "#5a6878", shape: "ring" },
};
export const STAGES = ["#3f7fb0", "#b9772f", "#4b8f7a", "#8a6bb1", "#8c8544", "#a2566b", "#5f7186"];
export const GREEN = "#35d39a";

/** A state's mark, drawn on a square of 24. */
export function draw(pen: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D, state: State) {
  const { colour, shape } = STATES[state];
  pen.fillStyle = colour; pen.strokeStyle = colour; pen.lineWidth = 3.5; pen.lineJoin = "round";
  const path = (points: [number, number][]) => { pen.beginPath(); points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y))); pen.closePath(); };
  const halo = (fill: () => void) => { pen.save(); pen.strokeStyle = "#0b1118"; pen.lineWidth = 6; pen.stroke(); pen.restore(); fill(); };
  if (shape === "dot" || shape === "ring") {
    pen.beginPath(); pen.arc(12, 12, shape === "dot" ? 6 : 5.5, 0, 7);
    halo(() => { if (shape === "dot") return pen.fill(); pen.fillStyle = "#0b1118"; pen.fill(); pen.stroke(); });
  } else if (shape === "cross") {
    pen.beginPath(); pen.moveTo(5, 5); pen.lineTo(19, 19); pen.moveTo(19, 5); pen.lineTo(5, 19);
    pen.save(); pen.strokeStyle = "#0b1118"; pen.lineWidth = 9; pen.stroke(); pen.restore(); pen.lineWidth = 4.5; pen.stroke();
  } else {
    path(shape === "square" ? [[5, 5], [19, 5], [19, 19], [5, 19]] : shape === "triangle" ? [[12, 3], [22, 20], [2, 20]] : [[12, 1], [23, 12], [12, 23], [1, 12]]);
    halo(() => pen.fill());
  }
}

const pictures = new Map<State, string>();
/** The mark as a picture for the page. */
export function mark(state: State): HTMLImageElement {
  let picture = pictures.get(state);
  if (!picture) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 48;
    const pen = canvas.getContext("2d")!;
    pen.scale(2, 2); draw(pen, state);
    pictures.set(state, (picture = canvas.toDataURL()));
  }
  const image = new Image(24, 24);
  [image.src, image.className, image.alt] = [picture, "mark", ""];
  return image;
}
