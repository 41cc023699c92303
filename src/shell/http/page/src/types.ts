// What the API answers, as far as the page reads it; /api/openapi.json says it in full.

export type Role = "viewer" | "operator" | "engineer" | "administrator";
export type State = "unheard" | "fault" | "silent" | "ordered" | "measured" | "imputed" | "base" | "own";

export interface Me { name: string; grants: { zone: string; role: Role }[]; expires_ms: number; dual: string[] }
export interface MapLink { id: string; road: string; zone: string; lanes: number; shape: [number, number][] }
export interface MapJunction { id: string; x: number; y: number }
export interface CityMap {
  name: string; origin: [number, number] | null; utc_offset_min: number; style: string | null;
  links: MapLink[]; junctions: MapJunction[];
}
export interface Minute { end_ms: number; index: number }
export interface Zone {
  id: string; level: string; parent: string | null; index: number | null; tpi: number | null; quality: string | null;
  change: number | null; forecast: Minute[]; junctions: number; impaired: number;
}
export interface Link {
  id: string; road: string; zone: string; junction: string | null; index: number | null; lost_veh_s: number | null;
  quality: string | null; queue: number[];
}
export type Trend<T> = T & { now_ms: number; trend: Minute[] };
export interface Junction {
  id: string; zone: string; state: State; stage: string | null; rung: string | null; reason: string | null;
  order: string | null; queue: number;
}
export interface StageAt { stage: string; at_ms: number }
export interface Group { id: string; shows: string; demand: number | null; quality: string | null; movements: string[] }
export interface Movement { from: string; to: string; turn: string; queue: number; shared: boolean }
export interface Why {
  source: string; cost_veh_s: number; beaten: string | null; beaten_by_veh_s: number | null; bound_by: string[];
}
export interface Sensor { id: string; kind: string; link: string; zone: string; health: string; since_ms: number | null }
export interface FullJunction extends Junction {
  now_ms: number; revision: number | null; heard_ms: number | null; timeline: StageAt[]; groups: Group[];
  programs: string[]; why: Why | null; refused: string[]; movements: Movement[]; approaches: Link[]; sensors: Sensor[];
}
export interface Green { from_ms: number; to_ms: number }
export interface Diagram {
  now_ms: number; from_ms: number; to_ms: number; approach: string; approaches: string[]; road: string; speed_mps: number;
  signals: { junction: string; at_m: number; along: Green[]; against: Green[] }[];
}
export interface Account {
  junction: string; extra_veh_s: number; standing: string; since_ms: number; released_ms: number | null; back_ms: number | null;
}
export interface Other { route: string[]; arrives_ms: [number, number]; cost_veh_s: number; why: string }
export interface Wave {
  id: string; vehicle: string; at_ms: number; from: string; to: string; state: string; live: boolean; why: string;
  route: string[]; gates: { junction: string; green_from_ms: number; low_ms: number; high_ms: number }[];
  arrives_ms: [number, number] | null; alternatives: Other[]; cost_veh_s: number | null; extra_veh_s: number | null;
  accounts: Account[]; paid_back_ms: number | null;
  position: [number, number] | null; seen_ms: number | null;
}
export interface Preview {
  route: string[]; junctions: string[]; now_s: number; free_flow_s: number; length_m: number; allowed: boolean;
  alternatives: { route: string[]; junctions: number; now_s: number; later_s: number; length_m: number }[];
}
export interface Alarm {
  id: number; kind: string; place: string; parts: string[]; owner: string; desk: string; state: string; text: string; raised_ms: number;
  seen_ms: number; count: number; gone: boolean; due_ms: number | null; assignee: string | null; notes: string[];
}
export interface Statistics {
  kind: string; raised: number; acknowledged: number; acknowledge_s: number | null; resolved: number;
  resolve_s: number | null; escalated: number; unreal: number;
}
export interface Order { action: Record<string, unknown> & { kind: string }; reason: string }
export interface Orders {
  waiting: { id: string; who: string; order: Order; since_ms: number }[];
  outcomes: { id: string; at_ms: number; done: boolean; text: string }[];
}
export interface Deed {
  seq: number; at_ms: number; wall_ms: number; who: string; what: string; zones: string[]; why: string; before: string;
  after: string; hash: string;
}
export interface Vehicle { request: string; vehicle: string; x: number; y: number; speed_mps: number; heading_deg: number | null }
export interface Tick {
  now_ms: number; ended: boolean; index: boolean; alarms: boolean; corridors: boolean; vehicles: Vehicle[];
  junctions: { id: string; stage: string | null; state: State }[];
}
