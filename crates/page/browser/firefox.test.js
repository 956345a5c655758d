// The same page in Firefox, by WebDriver BiDi.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import puppeteer from "puppeteer-core";
import { largeLog, sample, serve } from "./served.js";

const firefox = process.env.FIREFOX ?? "/usr/bin/firefox-esr";

test("a file is explained and filtered in Firefox", { skip: !existsSync(firefox) && "no Firefox here" }, async () => {
  const server = await serve();
  const browser = await puppeteer.launch({ browser: "firefox", executablePath: firefox, headless: true });
  try {
    const page = await browser.newPage();
    await page.goto(server.url);
    const files = await page.$("#files");
    await files.uploadFile(sample("hub-access.log"));
    const headline = await page.waitForSelector(".headline h1", { timeout: 20000 });
    assert.match(await headline.evaluate((e) => e.innerText), /customerdef/);
    await page.select("#by-cause", "challenge-answered");
    await page.evaluate(() => document.getElementById("by-cause").dispatchEvent(new Event("input")));
    const shown = await page.$$eval("nav.contents li", (all) => all.filter((e) => !e.hidden).length);
    assert.equal(shown, 1);

    await page.click("#clear");
    const log = join(mkdtempSync(join(tmpdir(), "why401-page-")), "large.log");
    writeFileSync(log, largeLog(20));
    await files.uploadFile(log);
    await page.waitForFunction(() => document.getElementById("status").textContent.startsWith("So far"), { timeout: 60000 });
    assert.match(await page.$eval(".headline h1", (e) => e.innerText), /alice/);
    await page.waitForFunction(() => document.getElementById("progress").hidden, { timeout: 60000 });
    assert.match(await page.$eval(".headline h1", (e) => e.innerText), /alice/);
    assert.equal(await page.$eval("#status", (e) => e.innerText), "");
  } finally {
    await browser.close();
    assert.equal(await server.end(), 0);
  }
});
