// How soon the page opens, and how soon a log that is given to it is explained; each several times, the median last.
//   WHY401=target/release/why401 node crates/page/browser/measure.js LOG
import { statSync } from "node:fs";
import { chromium } from "playwright-core";
import { serve } from "./served.js";

const TIMES = 5;
const log = process.argv[2];
const server = await serve();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});

const measured = new Map();
const note = (what, ms) => measured.set(what, [...(measured.get(what) ?? []), Math.round(ms)]);

for (let time = 0; time < TIMES; time++) {
  const page = await browser.newPage();
  // The first page of a browser that was just started waits for the browser.
  await page.goto("about:blank");
  await page.goto(server.url);
  // Counted by the browser itself from the moment when it was told to go there: what drives it takes time of its own.
  note("answer complete", await page.evaluate(() => performance.getEntriesByType("navigation")[0].responseEnd));
  note("page can be used", await page.evaluate(() => performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd));
  const painted = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
  note("page is painted", await (await page.waitForFunction(painted)).jsonValue());
  if (log) {
    const [told] = await Promise.all([page.evaluate(explained), page.setInputFiles("#files", log)]);
    note("first finding", told.first);
    note("all of it", told.last);
  }
  await page.close();
}
if (log) console.log(`${Math.round(statSync(log).size / 1e6)} MB`);
for (const [what, all] of measured) {
  console.log(`${what}: ${all.join(" ")} ms, median ${all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]}`);
}
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
