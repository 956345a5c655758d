// How soon the page opens, and how soon a log that is dropped on it is explained.
//   WHY401=target/release/why401 node crates/page/browser/measure.js LOG
import { statSync } from "node:fs";
import { chromium } from "playwright-core";
import { serve } from "./served.js";

const log = process.argv[2];
const server = await serve();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
const page = await browser.newPage();
// The first page of a browser that was just started waits for the browser.
await page.goto("about:blank");
const opening = performance.now();
await page.goto(server.url);
await page.locator("#drop").waitFor();
const opened = performance.now();
console.log(`the page opens in ${Math.round(opened - opening)} ms`);
const [given] = await Promise.all([
  page.evaluate(
    () =>
      new Promise((resolve) => {
        let from;
        document.getElementById("files").addEventListener("change", () => (from = performance.now()), true);
        new MutationObserver(() => document.querySelector(".headline h1") && resolve(performance.now() - from)).observe(
          document.getElementById("answer"),
          { childList: true },
        );
      }),
  ),
  page.setInputFiles("#files", log),
]);
console.log(`${Math.round(statSync(log).size / 1e6)} MB are explained in ${Math.round(given)} ms`);
await browser.close();
await server.end();
