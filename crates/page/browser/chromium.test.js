// What a person does on the page, in Debian's Chromium.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { largeLog, program, repository, sample, serve } from "./served.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PHOTO = "\x89PNG\r\n\x1a\n\0\0\0\x01\0\xff";
const SECRET = "hunter2-canary";
const folder = mkdtempSync(join(tmpdir(), "why401-page-"));

let browser, server;
before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
  });
  server = await serve();
});
after(async () => {
  await browser?.close();
  assert.equal(await server?.end(), 0, "SIGTERM ends the server in order");
});

/** The page, with everything that it asks of any server noted. */
async function open(options = {}) {
  const context = await browser.newContext({ acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.asked = [];
  page.complaints = [];
  page.on("request", (request) => page.asked.push(request.url()));
  page.on("console", (message) => message.type() === "error" && page.complaints.push(message.text()));
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  await page.goto(server.url);
  return page;
}

const give = (page, ...names) => page.setInputFiles("#files", names);
const headline = (page) => page.locator(".headline h1");

async function drop(page, files) {
  const transfer = await page.evaluateHandle((files) => {
    const transfer = new DataTransfer();
    for (const [name, text] of files) transfer.items.add(new File([text], name));
    return transfer;
  }, files);
  await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
}

const refused = (user) => `> GET /a HTTP/1.1
> Host: api.example.com
> Authorization: Basic ${Buffer.from(`${user}:${SECRET}`).toString("base64")}
>
< HTTP/1.1 401 Unauthorized
< WWW-Authenticate: Basic realm="a"
<
`;

test("a dropped file is explained, its bytes are marked, no secret is shown, nobody else is asked", async () => {
  const page = await open();
  await drop(page, [["transcript.txt", refused("alice")]]);
  await headline(page).waitFor();
  assert.match(await headline(page).innerText(), /alice/);
  assert.ok((await page.locator("article.finding mark").count()) > 0, "bytes are marked");
  assert.ok(!(await page.content()).includes(SECRET), "no secret");
  assert.ok(page.asked.every((url) => url.startsWith(server.url)), page.asked.join(" "));
  assert.deepEqual(page.complaints, []);
});

test("pasted words are evidence, and so is a code", async () => {
  const page = await open();
  await page.fill("#text", "401.3");
  await page.click("text=Tell me why");
  await headline(page).waitFor();
  assert.match(await page.locator("#answer").innerText(), /acl-denied/);
});

test("what is no evidence is told, and the page goes on", async () => {
  const page = await open();
  await drop(page, [["empty.txt", ""]]);
  await page.locator("#status.bad").waitFor();
  assert.match(await page.locator("#status").innerText(), /empty/);
  await page.click("#clear");
  await give(page, sample("page.har"));
  await headline(page).waitFor();
  assert.match(await headline(page).innerText(), /placeholder/);
});

test("what cannot be read beside what can is told at once, and leaving out all is too", async () => {
  const page = await open();
  const photo = join(folder, "photo.png");
  writeFileSync(photo, PHOTO, "latin1");
  await give(page, photo, sample("page.har"));
  await headline(page).waitFor();
  await page.locator("#status.bad").waitFor();
  assert.match(await page.locator("#status").innerText(), /^Not read: photo\.png: this is no evidence/);
  await page.uncheck("#pieces input >> nth=0");
  await page.waitForFunction(() => document.getElementById("status").textContent === "" && document.querySelector(".headline"));
  await page.uncheck("#pieces input >> nth=1");
  await page.waitForFunction(() => document.getElementById("status").textContent.startsWith("Tick"));
});

test("two pieces at once are one body of evidence, and each can be left out", async () => {
  const page = await open();
  await give(page, sample("hub-access.log"), sample("hub-error.log"));
  await headline(page).waitFor();
  assert.match(await page.locator("article.finding").first().innerText(), /AH01617/);
  await page.uncheck("#pieces input >> nth=1");
  await page.waitForFunction(() => !document.getElementById("answer").innerText.includes("AH01617"));
});

test("many findings are filtered by cause, account and time", async () => {
  const page = await open();
  const log = ["alice", "bob", "-"].flatMap((user, hour) =>
    Array.from({ length: 3 }, (_, i) => `192.0.2.${hour + 1} - ${user} [22/Nov/2026:1${hour}:00:0${i} +0000] "GET /${hour} HTTP/1.1" 401 1 "-" "x"`),
  );
  await drop(page, [["access.log", log.join("\n") + "\n"]]);
  await page.click("#filter summary");
  const shown = () => page.locator("nav.contents li:visible").count();
  const all = await shown();
  assert.ok(all >= 3, `${all} findings`);
  await page.selectOption("#by-account", "bob");
  assert.equal(await shown(), 1);
  assert.equal(await page.locator("#filtered").innerText(), `1 of ${all} findings`);
  assert.equal(await headline(page).isVisible(), false, "the headline is of all of them");
  await page.selectOption("#by-account", "");
  await page.selectOption("#by-cause", "no-credentials");
  assert.equal(await shown(), 1);
  await page.selectOption("#by-cause", "");
  await page.fill("#by-to", "2026-11-22T10:30:00");
  assert.equal(await shown(), 1);
  await page.fill("#by-to", "");
  assert.equal(await shown(), all);
  assert.equal(await headline(page).isVisible(), true);
});

test("on a small screen what is wrong is seen, not only said", async () => {
  const page = await open({ viewport: { width: 390, height: 640 } });
  await drop(page, [["photo.png", PHOTO]]);
  await page.locator("#status.bad").waitFor();
  const { top, bottom } = await page.locator("#status").evaluate((e) => e.getBoundingClientRect().toJSON());
  assert.ok(top >= 0 && bottom <= 640, `${top} to ${bottom} of 640`);
});

test("the page is parted from an opener unless the browser tells that it has none", async () => {
  const answer = await (await (await browser.newContext()).newPage()).goto(server.url);
  assert.equal((await answer.request().allHeaders())["sec-fetch-site"], "none");
  assert.equal(answer.headers()["cross-origin-opener-policy"], undefined);
  // Whoever else opens it, and knows the secret, is refused.
  const stranger = createServer((_, response) => response.end("<!doctype html><title>x</title>"));
  await new Promise((listening) => stranger.listen(0, "127.0.0.1", listening));
  const page = await (await browser.newContext()).newPage();
  await page.goto(`http://127.0.0.1:${stranger.address().port}/`);
  const [opened] = await Promise.all([page.waitForEvent("popup"), page.evaluate((url) => void open(url), server.url)]);
  await opened.waitForLoadState();
  assert.match(await opened.innerText("body"), /another page asked for this/);
  stranger.close();
});

test("of a large log the first finding is shown while the rest is sent, and corrected at the end", async () => {
  const page = await open();
  const log = join(folder, "large.log");
  const late = '192.0.2.9 - late [23/Nov/2026:00:00:00 +0000] "GET /late HTTP/1.1" 401 179 "-" "x"\n';
  writeFileSync(log, largeLog(20) + late.repeat(3));
  await page.evaluate(() => {
    window.shown = [];
    const note = () => window.shown.push([document.getElementById("status").textContent, document.getElementById("answer").innerText]);
    new MutationObserver(note).observe(document.getElementById("status"), { childList: true });
  });
  await give(page, log, sample("hub-error.log"));
  await page.waitForFunction(() => document.getElementById("progress").hidden && document.querySelector(".headline h1"), null, { timeout: 60000 });
  const [status, first] = (await page.evaluate(() => window.shown)).find(([status]) => status.startsWith("So far")) ?? assert.fail("nothing so far");
  assert.match(status, /by the first 4\d % /);
  assert.match(first, /alice/);
  assert.doesNotMatch(first, /\blate\b|AH01617/);
  const last = await page.locator("#answer").innerText();
  assert.match(last, /alice/);
  assert.match(last, /\blate\b/);
  assert.match(last, /AH01617/);
  assert.equal(await page.locator("#status").innerText(), "");
  assert.equal(await page.locator("#answer").getAttribute("aria-busy"), null);
  assert.deepEqual(page.complaints, []);
});

test("what is overtaken is stopped, here and in the server", async () => {
  const page = await open();
  const log = join(folder, "overtaken.log");
  writeFileSync(log, largeLog(40));
  // More of them than the server takes at once.
  for (let time = 0; time < 8; time++) {
    const begun = page.waitForResponse((response) => response.url().endsWith("/findings"));
    await give(page, log);
    assert.equal((await begun).status(), 200);
    await page.click("#clear");
  }
  await give(page, sample("page.har"));
  await headline(page).waitFor();
  assert.match(await headline(page).innerText(), /placeholder/);
  assert.equal(await page.locator("#status").innerText(), "");
  assert.deepEqual(page.complaints, []);
});

test("report and bundle are downloaded, open again, and hold no secret", async () => {
  const page = await open();
  await drop(page, [["transcript.txt", refused("alice")]]);
  await headline(page).waitFor();
  const download = async (name) => {
    const [file] = await Promise.all([page.waitForEvent("download"), page.click(`text="${name}"`)]);
    const path = join(folder, file.suggestedFilename());
    await file.saveAs(path);
    return path;
  };
  const report = await download("Report");
  const other = await (await browser.newContext()).newPage();
  await other.goto("file://" + report);
  assert.match(await headline(other).innerText(), /alice/);
  for (const name of ["Markdown", "JSON", "Bundle for a service desk"]) {
    const path = await download(name);
    const text = path.endsWith(".zip") ? execFileSync("python3", ["-c", UNZIP, path], { encoding: "utf8" }) : readFileSync(path, "utf8");
    assert.match(text, /credentials-refused/, name);
    assert.ok(!text.includes(SECRET) && !text.includes(Buffer.from(`alice:${SECRET}`).toString("base64")), name);
  }
});
const UNZIP = "import sys,zipfile\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nfor n in z.namelist(): print(z.read(n).decode('utf-8','replace'))";

test("another origin's page gets nothing out of the server", async () => {
  const page = await (await browser.newContext()).newPage();
  const stranger = await new Promise((resolve) => {
    const s = createServer((_, response) => response.end("<!doctype html><title>x</title>"));
    s.listen(0, "127.0.0.1", () => resolve(s));
  });
  await page.goto(`http://127.0.0.1:${stranger.address().port}/`);
  const read = await page.evaluate(async (url) => {
    try {
      const answer = await fetch(url + "findings", { method: "POST", body: "x" });
      return await answer.text();
    } catch (e) {
      return "refused: " + e.name;
    }
  }, server.url);
  assert.match(read, /^refused/);
  stranger.close();
});

test("the page's policy lets nothing run that is not its own and nobody else be asked", async (t) => {
  let asked = 0;
  const stranger = await new Promise((resolve) => {
    const s = createServer((_, response) => (asked++, response.end("x")));
    s.listen(0, "127.0.0.1", () => resolve(s));
  });
  t.after(() => stranger.close());
  const page = await open();
  const broken = await page.evaluate(async (url) => {
    const broken = new Set();
    addEventListener("securitypolicyviolation", (e) => broken.add(e.effectiveDirective));
    // What markup of the evidence would try, could it get into the page.
    const box = document.createElement("div");
    box.innerHTML = `<img src="${url}i" onerror="window.ran = 1"><iframe src="${url}f"></iframe><link rel="stylesheet" href="${url}c"><p style="color:red">x</p>
      <style>p{color:red}</style><object data="${url}o"></object><video src="${url}v"></video><form action="${url}p" method="post"><button></button></form><base href="${url}">`;
    const script = (own) => Object.assign(document.createElement("script"), own);
    document.body.append(box, script({ textContent: "window.ran = 1" }), script({ src: url + "s" }));
    box.querySelector("form").submit();
    await Promise.allSettled([fetch(url), new Promise((_, failed) => (new EventSource(url).onerror = failed))]);
    try { new WebSocket(url.replace("http", "ws")); } catch {}
    navigator.sendBeacon(url + "b");
    await new Promise((done) => setTimeout(done, 300));
    // Not before: while the test itself is let in, eval is.
    try { new Function("window.ran = 1")(); } catch {}
    await new Promise((done) => setTimeout(done, 50));
    return { ran: window.ran, base: document.baseURI.startsWith(location.origin), broken: [...broken].sort() };
  }, `http://127.0.0.1:${stranger.address().port}/`);
  assert.equal(asked, 0, "somebody else was asked");
  assert.equal(broken.ran, undefined);
  assert.ok(broken.base);
  for (const directive of ["base-uri", "connect-src", "form-action", "frame-src", "img-src", "media-src", "object-src", "script-src", "script-src-attr", "script-src-elem", "style-src-attr", "style-src-elem"]) {
    assert.ok(broken.broken.includes(directive), `${directive} of ${broken.broken}`);
  }
});

test("markup and escapes in evidence and in the names of its files are only shown", async () => {
  const evil = "\"'><img src=x onerror=window.ran=1><script>window.ran=1</script>\x1b[31m\u202e\u009b`|[a](javascript:x)";
  const page = await open();
  await page.evaluate(() => {
    window.broken = [];
    addEventListener("securitypolicyviolation", (e) => window.broken.push(e.effectiveDirective));
  });
  const field = evil.replace(/["\\]/g, "\\$&");
  await drop(page, [
    [evil + ".txt", `> GET /${evil} HTTP/1.1\n> Host: h\n> User-Agent: ${evil}\n> Cookie: a${evil}=b\n> Authorization: Basic YWxpY2U6eA==\n> \n< HTTP/1.1 401 No${evil}\n< Server: ${evil}\n< WWW-Authenticate: Basic realm="${field}"\n< \n${evil}\n`],
    ["b" + evil, `192.0.2.1 - ${evil.replace(/[" ]/g, "")} [22/Nov/2026:10:00:00 +0000] "GET /q HTTP/1.1" 401 1 "-" "${evil.replace(/"/g, "")}"\n`.repeat(4)],
  ]);
  await headline(page).waitFor();
  const found = await page.evaluate(() => ({ ran: window.ran, broken: window.broken, text: document.body.innerText, alien: document.querySelectorAll("img, iframe, script:not([nonce]), [onerror], [href^=javascript]").length }));
  assert.ok(found.text.includes("<script>window.ran=1</script>"), "it is shown");
  assert.doesNotMatch(found.text, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]/);
  assert.deepEqual([found.ran, found.broken, found.alien], [undefined, [], 0]);
});

test("a name that is led to this machine gets nothing, whoever knows the secret", async (t) => {
  const other = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP rebound.example.com 127.0.0.1"] });
  t.after(() => other.close());
  const page = await other.newPage();
  const answer = await page.goto(server.url.replace("127.0.0.1", "rebound.example.com"));
  assert.equal(answer.status(), 403);
  assert.match(await page.innerText("body"), /own address/);
});

test("two pages at once are answered each with its own", async () => {
  const users = ["alice", "bob"];
  const pages = await Promise.all(users.map(() => open()));
  const logs = users.map((user) => join(folder, `${user}.log`));
  users.forEach((user, i) => writeFileSync(logs[i], largeLog(20).replaceAll("alice", user + "-alone")));
  await Promise.all(pages.map((page, i) => give(page, logs[i])));
  for (const [i, page] of pages.entries()) {
    await page.waitForFunction(() => document.getElementById("progress").hidden && document.querySelector(".headline h1"), null, { timeout: 60000 });
    const text = await page.locator("#answer").innerText();
    assert.ok(text.includes(users[i] + "-alone") && !text.includes(users[1 - i] + "-alone"), text.slice(0, 500));
    assert.deepEqual(page.complaints, []);
  }
});

test("while an address is asked, the page tells what is asked and answered", async (t) => {
  const refusing = await new Promise((resolve) => {
    const s = createServer((_, response) => {
      response.writeHead(401, { "WWW-Authenticate": 'Basic realm="a"' });
      response.end();
    });
    s.listen(0, "127.0.0.1", () => resolve(s));
  });
  t.after(() => {
    refusing.close();
    refusing.closeAllConnections();
  });
  const page = await open();
  // The lines stand there for as long as the server is asked, and no longer.
  await page.evaluate(() => {
    window.told = [];
    const note = (changes) => changes.forEach((c) => c.addedNodes.forEach((n) => window.told.push(n.textContent)));
    new MutationObserver(note).observe(document.getElementById("meanwhile"), { childList: true });
  });
  await page.fill("#text", `http://127.0.0.1:${refusing.address().port}/a`);
  await page.click("#paste button");
  await headline(page).waitFor();
  const told = await page.evaluate(() => window.told);
  assert.ok(told.some((line) => line.includes("401, asks for Basic")), told.join("\n"));
  assert.equal(await page.locator("#meanwhile li").count(), 0, "the answer takes their place");
  assert.deepEqual(page.complaints, []);
});

/** No violation that axe knows, and nothing beside the screen. */
async function accessible(page, where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document));
  assert.deepEqual(violations.map((v) => [v.id, v.nodes.map((n) => n.html)]), [], where);
  const scrolls = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(scrolls <= 0, `${scrolls} pixels beside the screen, ${where}`);
}

test("what is found so far has no violation either, nor has an empty page, a failure or the open filter", async () => {
  const log = join(folder, "half.log");
  writeFileSync(log, largeLog(20));
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 390]) {
      const page = await open({ colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
      await accessible(page, `empty, ${colorScheme} ${width}`);
      await drop(page, [["empty.txt", ""]]);
      await page.locator("#status.bad").waitFor();
      await accessible(page, `failed, ${colorScheme} ${width}`);
      await page.click("#clear");
      // The second piece is held back for as long as the findings in the first are looked at.
      let goOn;
      const looked = new Promise((resolve) => (goOn = resolve));
      await page.route("**/slice", async (route) => {
        if (route.request().headers()["x-at"] !== "0") await looked;
        await route.continue();
      });
      await give(page, log, sample("hub-error.log"));
      await page.locator("#status.so-far").waitFor({ timeout: 60000 });
      assert.equal(await page.locator("#answer").getAttribute("aria-busy"), "true");
      await accessible(page, `so far, ${colorScheme} ${width}`);
      goOn();
      await page.locator("#progress").waitFor({ state: "hidden", timeout: 60000 });
      await page.click("#filter summary");
      await accessible(page, `filter, ${colorScheme} ${width}`);
      await page.context().close();
    }
  }
});

test("the page and the report have no violation that axe knows, light and dark, wide and narrow", async () => {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 390]) {
      const page = await open({ colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
      await give(page, sample("hub-access.log"), sample("hub-error.log"));
      await headline(page).waitFor();
      await accessible(page, `${colorScheme} ${width}`);
      if (process.env.PICTURES) await page.screenshot({ path: join(process.env.PICTURES, `page-${colorScheme}-${width}.png`) });
      await page.context().close();
    }
  }
});

test("everything is reached with the keyboard", async () => {
  const page = await open();
  await page.fill("#text", refused("alice"));
  await page.focus("#text");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await headline(page).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "answer");
});

test("the report stands alone: from a file, without script, on paper", async () => {
  const path = join(folder, "alone.html");
  let html;
  try {
    html = execFileSync(program, ["--format", "html", sample("hub-access.log")]);
  } catch (e) {
    // A finding is status 1.
    html = e.stdout;
  }
  writeFileSync(path, html);
  const context = await browser.newContext({ javaScriptEnabled: false, offline: true, viewport: { width: 1280, height: 1000 } });
  const page = await context.newPage();
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto("file://" + path);
  assert.match(await headline(page).innerText(), /customerdef/);
  assert.deepEqual(asked, ["file://" + path]);
  if (process.env.PICTURES) await page.screenshot({ path: join(process.env.PICTURES, "report.png") });
  // What is laid out only when it comes near the view is reached and copied nevertheless.
  await page.keyboard.press("Control+a");
  assert.match(await page.evaluate(() => String(getSelection())), /let in here/);
  // On paper, from a dark screen too: no dark ground, no table beside its box, and each page's part of a box is closed.
  await page.setViewportSize({ width: 680, height: 1000 });
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  const style = (selector, name) => page.locator(selector).first().evaluate((e, name) => getComputedStyle(e)[name], name);
  assert.deepEqual([await style("body", "backgroundColor"), await style("body", "color")], ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]);
  assert.equal(await style(".finding", "webkitBoxDecorationBreak"), "clone");
  assert.equal(await style("summary", "listStyleType"), "none");
  const cells = await page.locator("td:last-child").evaluateAll((all) => all.map((e) => e.getClientRects()[0].height));
  assert.ok(Math.max(...cells) < 40, "a row is no more than two lines");
  const beside = await page.locator(".scroll").evaluateAll((all) => all.filter((e) => e.scrollWidth > e.clientWidth).length);
  assert.equal(beside, 0);
  const paper = await page.pdf({ format: "A4" });
  assert.equal(paper.subarray(0, 5).toString(), "%PDF-");
});

test("a picture of the terminal", { skip: !process.env.PICTURES && "made with PICTURES=docs/pictures" }, async () => {
  let text;
  try {
    text = execFileSync(program, ["--color", "always", "samples/hub-access.log"], { encoding: "utf8", cwd: repository });
  } catch (e) {
    text = e.stdout;
  }
  const page = await (await browser.newContext({ viewport: { width: 880, height: 200 } })).newPage();
  await page.setContent(`<body style="margin:0;background:#16181d;color:#e6e6e6"><pre style="margin:0;padding:16px;font:13px/1.35 'DejaVu Sans Mono',monospace">${coloured("$ why401 samples/hub-access.log\n" + text)}</pre>`);
  await page.screenshot({ path: join(process.env.PICTURES, "terminal.png"), fullPage: true });
});

/** What a terminal makes of the escapes that the program writes. */
function coloured(text) {
  const styles = { 1: "font-weight:bold", 2: "opacity:.65", 31: "color:#ff6e67", 32: "color:#5af78e", 33: "color:#f4f99d", 34: "color:#6fa8ff", 35: "color:#ff92d0", 36: "color:#9aedfe" };
  let open = 0;
  const close = () => "</span>".repeat(open) + ((open = 0), "");
  const html = text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`).replace(/\x1b\[([\d;]*)m/g, (_, codes) =>
    codes
      .split(";")
      .map((code) => {
        if (!Number(code)) return close();
        open++;
        return `<span style="${styles[Number(code) % 60] ?? ""}">`;
      })
      .join(""),
  );
  return html + close();
}
