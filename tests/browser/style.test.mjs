// A city with a style of its own: it lies under the roads, with tiles from another host, as the page's policy lets it;
// and a style that cannot be had does not take the city with it. The tiles' host is played by this test.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const { CHROMIUM, COCKPIT, WORD, PICTURES, STYLE } = process.env;
let browser, token;

before(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"] });
  const body = JSON.stringify({ one_time: WORD });
  token = (await (await fetch(`${COCKPIT}/api/session`, { method: "POST", headers: { "content-type": "application/json" }, body })).json()).token;
});
after(() => browser?.close());

/** The page, with whatever answers for the style's host; what went wrong there. */
async function screen(answer) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  await context.addInitScript((token) => {
    sessionStorage.setItem("token", token);
    document.addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`));
  }, token);
  const page = await context.newPage();
  const wrongs = [];
  page.on("pageerror", (e) => wrongs.push(e.message));
  page.on("console", (m) => { if (m.text().startsWith("policy:")) wrongs.push(m.text()); });
  await page.route((url) => url.origin === new URL(STYLE).origin, answer);
  await page.goto(COCKPIT);
  await page.locator("#map[data-drawn] canvas").waitFor({ timeout: 60_000 });
  await page.waitForTimeout(500);
  return { page, wrongs };
}

/** Whether a pixel of this colour is on the map. */
async function shows(page, [red, green, blue]) {
  const image = (await page.locator("#map").screenshot()).toString("base64");
  return page.evaluate(async ([image, red, green, blue]) => {
    const bytes = Uint8Array.from(atob(image), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const pen = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    pen.drawImage(bitmap, 0, 0);
    const { data } = pen.getImageData(0, 0, bitmap.width, bitmap.height);
    for (let i = 0; i < data.length; i += 4) if (Math.abs(data[i] - red) + Math.abs(data[i + 1] - green) + Math.abs(data[i + 2] - blue) < 12) return true;
    return false;
  }, [image, red, green, blue]);
}
const SEA = [0x10, 0x30, 0x38], TILE = [0x40, 0x20, 0x50], SIGNAL = [0x5a, 0x68, 0x78]; // a signal that was not heard yet

test("a style lies under the city, with tiles of its own host", async () => {
  const asked = [];
  const picture = Buffer.from(await (await browser.newPage()).evaluate(async ([red, green, blue]) => {
    const canvas = new OffscreenCanvas(256, 256), pen = canvas.getContext("2d");
    pen.fillStyle = `rgb(${red} ${green} ${blue})`;
    pen.fillRect(0, 0, 256, 128);
    return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
  }, TILE));
  const { page, wrongs } = await screen((route) => {
    const url = new URL(route.request().url());
    asked.push(url.pathname);
    const headers = { "access-control-allow-origin": "*" };
    if (url.pathname.endsWith(".png")) return route.fulfill({ headers, contentType: "image/png", body: picture });
    const style = {
      version: 8, sources: { tiles: { type: "raster", tiles: [`${url.origin}/{z}/{x}/{y}.png`], tileSize: 256 } },
      layers: [{ id: "sea", type: "background", paint: { "background-color": `rgb(${SEA})` } }, { id: "tiles", type: "raster", source: "tiles" }],
    };
    return route.fulfill({ headers, json: style });
  });
  await page.screenshot({ path: `${PICTURES}/style.png` });
  assert.ok(asked.some((path) => path.endsWith(".png")), asked.join());
  for (const colour of [SEA, TILE, SIGNAL]) assert.ok(await shows(page, colour), `rgb(${colour})`);
  assert.deepEqual(wrongs, []);
  await page.context().close();
});

test("a style that cannot be had does not take the city with it", async () => {
  for (const answer of [(route) => route.abort(), (route) => route.fulfill({ status: 500, headers: { "access-control-allow-origin": "*" }, body: "no" })]) {
    const { page, wrongs } = await screen(answer);
    assert.ok(await shows(page, SIGNAL));
    assert.deepEqual(wrongs, []);
    await page.context().close();
  }
});
