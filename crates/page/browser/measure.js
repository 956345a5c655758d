// How soon the page opens, beside an empty page, and how soon a log that is given to it is explained; the median of several.
//   WHY401=target/release/why401 node crates/page/browser/measure.js [--rest MS] [--windows] [LOG]
import { statSync } from "node:fs";
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { serve } from "./served.js";

const OPENED = 25;
const EXPLAINED = 5;
const options = { rest: { type: "string", default: "500" }, windows: { type: "boolean", default: false } };
const { values, positionals } = parseArgs({ options, allowPositionals: true });
// A tab that was just opened keeps the browser busy: who types an address has had it open for as many milliseconds, who
// follows a link for none. A window of its own, with a profile of its own, keeps it far busier.
const rest = Number(values.rest);
const [log] = positionals;
const server = await serve();
const empty = createServer((_, response) => {
  response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" });
  response.end("<!doctype html><title>x</title><p>x");
});
await new Promise((listening) => empty.listen(0, "127.0.0.1", listening));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});

const context = await browser.newContext();
await context.newPage();

const measured = new Map();
const note = (what, ms) => measured.set(what, [...(measured.get(what) ?? []), Math.round(ms)]);

/** The address in a tab of its own. */
async function open(url, what) {
  const page = await (values.windows ? browser : context).newPage();
  await page.goto("about:blank");
  await page.waitForTimeout(rest);
  await page.goto(url);
  // Counted by the browser itself from the moment when it was told to go there: what drives it takes time of its own.
  const navigation = await page.evaluate(() => performance.getEntriesByType("navigation")[0].toJSON());
  note(`${what}: answer complete`, navigation.responseEnd);
  note(`${what}: can be used`, navigation.domContentLoadedEventEnd);
  const painted = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
  note(`${what}: is painted`, await (await page.waitForFunction(painted)).jsonValue());
  return page;
}

for (let time = 0; time < OPENED; time++) {
  await (await open(`http://127.0.0.1:${empty.address().port}/`, "empty page")).close();
  await (await open(server.url, "page")).close();
}
for (let time = 0; log && time < EXPLAINED; time++) {
  const page = await open(server.url, "page");
  const [told] = await Promise.all([page.evaluate(explained), page.setInputFiles("#files", log)]);
  note("first finding", told.first);
  note("all of it", told.last);
  await page.close();
}
if (log) console.log(`${Math.round(statSync(log).size / 1e6)} MB`);
for (const [what, all] of measured) {
  console.log(`${what}: ${all.join(" ")} ms, median ${all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]}`);
}
empty.close();
await browser.close();
await server.end();

/** In the page: from the choice of a file to the first headline of a finding, and to the last one. */
function explained() {
  return new Promise((resolve) => {
    let from, first;
    document.getElementById("files").addEventListener("change", () => (from = performance.now()), true);
    const answer = document.getElementById("answer");
    new MutationObserver(() => {
      if (!answer.querySelector(".headline h1")) return;
      first ??= performance.now() - from;
      if (document.getElementById("progress").hidden) resolve({ first, last: performance.now() - from });
    }).observe(document.querySelector("main"), { childList: true, subtree: true, attributes: true });
  });
}
