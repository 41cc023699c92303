// The API: requests with the bearer token, and live updates that come back by themselves.
type Any = any;
const token = () => sessionStorage.getItem("token") ?? "";

/** Trades the word behind # for a token, once. */
export async function signIn(): Promise<void> {
  const word = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  if (word) {
    const got = await fetch("/api/session", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ one_time: word }) });
    if (got.ok) sessionStorage.setItem("token", (await got.json()).token);
  }
  if (!token()) throw new Error("Sign in with a token. 请用令牌登录。");
}

export async function ask(path: string, body?: unknown): Promise<Any> {
  const headers: Record<string, string> = { authorization: `Bearer ${token()}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  const got = await fetch(path, { method: body === undefined ? "GET" : "POST", headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const answer = await got.json();
  if (!got.ok) throw new Error(answer.error ?? got.statusText);
  return answer;
}

/** Live updates, for ever: after a break from the last tick that was read. */
export async function listen(on: Record<string, (data: Any) => void>): Promise<never> {
  let last = "";
  for (;;) {
    try {
      if (token()) {
        const headers: Record<string, string> = { authorization: `Bearer ${token()}` };
        if (last) headers["last-event-id"] = last;
        const got = await fetch("/api/live", { headers });
        const reader = got.ok ? got.body!.pipeThrough(new TextDecoderStream()).getReader() : null;
        let text = "";
        while (reader) {
          const { done, value } = await reader.read();
          if (done) break;
          text += value;
          const parts = text.split("\n\n");
          text = parts.pop()!;
          for (const part of parts) {
            const field = (name: string) => part.split("\n").find((l) => l.startsWith(`${name}: `))?.slice(name.length + 2);
            last = field("id") ?? last;
            on[field("event") ?? ""]?.(JSON.parse(field("data") ?? "{}"));
          }
        }
      }
    } catch { /* gone: the age on the screen says so */ }
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
}
