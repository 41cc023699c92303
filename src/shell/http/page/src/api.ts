// The API: requests with the bearer token, and live updates that come back by themselves.
import type { Tick } from "./types";

const KEY = "token";
export const signedIn = () => Boolean(sessionStorage.getItem(KEY));
export const signOut = () => { sessionStorage.removeItem(KEY); location.hash = ""; location.reload(); };
export const setToken = (token: string) => sessionStorage.setItem(KEY, token);
const bearer = () => ({ authorization: `Bearer ${sessionStorage.getItem(KEY) ?? ""}` });

/** The API refused. */
export class Refusal extends Error {
  constructor(readonly status: number, text: string) { super(text); }
}

/** Trades the word behind #, once printed by the server, for a token. Whether somebody is signed in now. */
export async function signIn(): Promise<boolean> {
  const word = location.hash.slice(1);
  if (word && !word.startsWith("/")) {
    history.replaceState(null, "", location.pathname);
    const body = JSON.stringify({ one_time: word });
    const got = await fetch("/api/session", { method: "POST", headers: { "content-type": "application/json" }, body });
    if (got.ok) setToken((await got.json()).token);
  }
  return signedIn();
}

export async function ask<T>(path: string, body?: unknown): Promise<T> {
  const init = body === undefined ? { headers: bearer() }
    : { method: "POST", headers: { ...bearer(), "content-type": "application/json" }, body: JSON.stringify(body) };
  const got = await fetch(path, init);
  const answer = await got.json().catch(() => ({}));
  if (!got.ok) throw new Refusal(got.status, answer.error ?? got.statusText);
  return answer;
}

interface Listener {
  tick(data: Tick): void;
  beat(data: { age_ms: number; ended: boolean }): void;
  /** What was missed is not known any more: read everything again. */
  reset(): void;
}

/** Live updates, for ever: after a break from the last tick that was read. */
export async function listen(on: Listener): Promise<never> {
  let last = "";
  for (;;) {
    try {
      const got = await fetch("/api/live", { headers: { ...bearer(), ...(last ? { "last-event-id": last } : {}) } });
      if (got.status === 401) signOut();
      if (got.ok && got.body) {
        const reader = got.body.pipeThrough(new TextDecoderStream()).getReader();
        for (let text = ""; ;) {
          const { done, value } = await reader.read();
          if (done) break;
          const parts = (text + value).split("\n\n");
          text = parts.pop() ?? "";
          for (const part of parts) {
            const field = (name: string) => part.split("\n").find((l) => l.startsWith(`${name}: `))?.slice(name.length + 2);
            last = field("id") ?? last;
            const data = JSON.parse(field("data") ?? "{}");
            const event = field("event");
            if (event === "tick" || event === "beat" || event === "reset") on[event](data);
          }
        }
      }
    } catch { /* the server is gone: the age on the screen says so */ }
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
}
