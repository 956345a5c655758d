"use strict";
// Evidence goes to this machine's own server and comes back as findings. Nothing is stored.
const $ = (id) => document.getElementById(id);
let pieces = [];
let turn = 0;
// Ends what is asked for, once something else is.
let asking = new AbortController();

// What the first view does not need stands in templates, so that the page opens sooner. The elements that `which` names, the
// first time; none later.
function made(id, which) {
  const template = $(id);
  if (!template) return [];
  const elements = template.content.querySelectorAll(which);
  template.replaceWith(template.content);
  return elements;
}

function say(text, bad) {
  $("status").textContent = text;
  $("status").className = bad ? "bad" : "";
  // On a small screen it would stand below what is seen.
  if (bad) $("status").scrollIntoView({ block: "nearest" });
}

// From this size on, evidence is looked at while it is sent.
const LARGE = 4e6;
const GONE = "why401 does not answer any more: start it again and open the new address";

// Asks for the diagnosis in a form. `told` gets what comes before the end, line by line, where the form has lines. The server
// stops reading what nobody waits for.
function send(form, signal, told) {
  const used = pieces.filter((p) => p.used);
  const all = used.reduce((sum, p) => sum + p.blob.size, 0);
  const beside = told && all > LARGE;
  const name = crypto.randomUUID();
  const sent = (bytes) => told({ sent: all ? (100 * bytes) / all : 0 });
  let sending;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", form);
    request.responseType = told ? "text" : "blob";
    request.setRequestHeader("X-Parts", used.map((p) => p.blob.size + " " + encodeURIComponent(p.name)).join(","));
    let at = 0;
    const lines = () => {
      for (let end; (end = request.responseText.indexOf("\n", at)) >= 0; at = end + 1) {
        told(JSON.parse(request.responseText.slice(at, end)));
      }
    };
    if (told) {
      if (!beside) request.upload.onprogress = (e) => sent(e.loaded);
      request.onprogress = () => request.status === 200 && lines();
    }
    request.onload = async () => {
      if (request.status !== 200) return reject(new Error(told ? request.responseText : await request.response.text()));
      if (told) lines();
      resolve(request.response);
    };
    request.onerror = () => reject(new Error(GONE));
    request.onabort = () => reject(new DOMException("overtaken", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    if (!beside) return request.send(one(used));
    request.setRequestHeader("X-Upload", name);
    request.onreadystatechange = () => {
      if (sending || request.readyState < 2 || request.status !== 200) return;
      sending = new AbortController();
      slices(name, used, sent, sending.signal).catch((e) => {
        reject(e);
        request.abort();
      });
    };
    request.send();
  }).finally(() => sending?.abort());
}

// Chromium sends a file that it is given alone twice as fast as the same file in a Blob.
const one = (used) => (used.length === 1 ? used[0].blob : new Blob(used.map((p) => p.blob)));

// Sends each piece as a slice of an upload. (`fetch` takes twice as long, and slices of a file do too.)
async function slices(name, used, sent, signal) {
  let at = 0;
  for (const { blob } of used.filter((p) => p.blob.size)) {
    await new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", "slice");
      request.setRequestHeader("X-Upload", name);
      request.setRequestHeader("X-At", at);
      request.upload.onprogress = (e) => signal.aborted || sent(at + e.loaded);
      request.onload = () => (request.status === 200 ? resolve() : reject(new Error(request.responseText)));
      request.onerror = () => reject(new Error(GONE));
      signal.addEventListener("abort", () => request.abort());
      request.send(blob);
    });
    at += blob.size;
  }
}

// What is known while the evidence is still read.
function meanwhile(line) {
  const item = document.createElement("li");
  item.textContent = line;
  $("meanwhile").append(item);
  if ($("meanwhile").childElementCount > 40) $("meanwhile").firstElementChild.remove();
}

async function diagnose() {
  const mine = ++turn;
  asking.abort();
  asking = new AbortController();
  list();
  if ($("filter")) $("filter").hidden = true;
  if (!pieces.some((p) => p.used)) {
    $("answer").replaceChildren();
    say(pieces.length ? "Tick what is to be looked at." : "");
    return;
  }
  say("Reading …");
  $("progress").hidden = false;
  $("progress").removeAttribute("value");
  $("meanwhile").replaceChildren();
  let html, failed, begun;
  // What is shown first is moved into view, and no more: by then a person reads it.
  const show = (answer) => {
    $("answer").innerHTML = answer;
    if (!begun) $("given").scrollIntoView({ block: "start" });
    begun = true;
  };
  try {
    await send("findings", asking.signal, (told) => {
      // A later turn may have overtaken this one.
      if (mine !== turn) return;
      const percent = told.sent ?? told.read;
      if (told.answer !== undefined) html = told.answer;
      else if (told.so_far) {
        show(told.so_far);
        $("answer").setAttribute("aria-busy", "true");
        say("So far, by the first " + Math.ceil(told.read) + " % of the evidence. The rest is still read and may correct this.");
        $("status").className = "so-far";
      }
      else if (told.failed !== undefined) failed = told.failed;
      else if (told.line) meanwhile(told.line);
      else if (percent < 100) $("progress").value = percent;
      else {
        $("progress").removeAttribute("value");
        if (!begun) say("Looking for the cause …");
      }
    });
    if (mine !== turn) return;
    if (html === undefined) throw new Error(failed ?? "The reading broke off: start why401 again");
    show(html);
    const left = unread();
    say(left.join(" "), left.length);
    filters();
    $("answer").focus({ preventScroll: true });
  } catch (e) {
    if (mine !== turn) return;
    $("answer").replaceChildren();
    say(e.message, true);
  } finally {
    if (mine === turn) {
      $("progress").hidden = true;
      $("answer").removeAttribute("aria-busy");
      $("meanwhile").replaceChildren();
    }
  }
}

// The pieces that nothing was found in, each with why; the answer tells it at its end.
function unread() {
  const names = [...$("answer").querySelectorAll("section.read td.path")].filter((e) => e.nextElementSibling.textContent === "unread");
  const problems = [...$("answer").querySelectorAll("section.read li")].map((e) => e.textContent);
  return names.map(({ textContent: name }) => {
    const start = name + ", byte 0: ";
    const why = problems.find((problem) => problem.startsWith(start))?.slice(start.length);
    return "Not read: " + name + (why ? ": " + why : "") + ".";
  });
}

function add(name, blob) {
  pieces.push({ name, blob, used: true });
}

function list() {
  for (const button of made("evidence", "button")) button.addEventListener("click", () => (button.id === "clear" ? clear() : download(button)));
  $("given").hidden = pieces.length === 0;
  $("pieces").replaceChildren(
    ...pieces.map((piece) => {
      const item = document.createElement("li");
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = piece.used;
      box.addEventListener("change", () => {
        piece.used = box.checked;
        diagnose();
      });
      label.append(box, visible(piece.name) + " (" + size(piece.blob.size) + ")");
      item.append(label);
      return item;
    }),
  );
}

/** What could deceive (controls, directions, private use) as what it is: of a file's name too. */
function visible(text) {
  return text.replace(/[\p{C}\u2028\u2029]/gu, (c) => "\\u{" + c.codePointAt(0).toString(16) + "}");
}

function size(n) {
  if (n < 10000) return n + " bytes";
  return n < 1e7 ? Math.round(n / 1000) + " kB" : Math.round(n / 1e6) + " MB";
}

function filters() {
  for (const control of made("filters", "select, input")) control.addEventListener("input", filter);
  const all = [...$("answer").querySelectorAll("article.finding, nav.contents li")];
  const values = (key) => [...new Set(all.map((e) => e.dataset[key]).filter(Boolean))].sort();
  for (const key of ["cause", "account"]) {
    const first = document.createElement("option");
    first.value = "";
    first.textContent = "all";
    $("by-" + key).replaceChildren(
      first,
      ...values(key).map((value) => {
        const option = document.createElement("option");
        option.value = option.textContent = value;
        return option;
      }),
    );
  }
  $("filter").hidden = $("answer").querySelectorAll("nav.contents li").length < 2;
  filter();
}

function filter() {
  const [cause, account] = [$("by-cause").value, $("by-account").value];
  // The page shows times in UTC.
  const time = (id) => ($(id).value ? Date.parse($(id).value + "Z") : NaN);
  const [from, to] = [time("by-from"), time("by-to")];
  const narrowed = Boolean(cause || account || from || to);
  // What is told of all findings would stand above the few that are asked for.
  for (const e of $("answer").querySelectorAll(".headline, .overview")) e.hidden = narrowed;
  let [shown, all] = [0, 0];
  for (const e of $("answer").querySelectorAll("article.finding, nav.contents li")) {
    const d = e.dataset;
    const out =
      (cause && d.cause !== cause) ||
      (account && d.account !== account) ||
      (from && d.last && Date.parse(d.last) < from) ||
      (to && d.first && Date.parse(d.first) > to);
    e.hidden = Boolean(out);
    if (e.tagName !== "LI") continue;
    all++;
    if (!out) shown++;
  }
  $("filtered").textContent = narrowed ? `${shown} of ${all} findings` : "";
}

async function download(button) {
  button.disabled = true;
  try {
    const masked = button.dataset.form === "bundle" && $("mask-addresses").checked;
    const blob = await send(button.dataset.form + (masked ? "-without-addresses" : ""), asking.signal);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = button.dataset.file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    say(button.dataset.file + " is ready");
  } catch (e) {
    if (e.name !== "AbortError") say(e.message, true);
  }
  button.disabled = false;
}

function clear() {
  pieces = [];
  diagnose();
  $("text").focus();
}

$("files").addEventListener("change", () => {
  for (const file of $("files").files) add(file.name, file);
  $("files").value = "";
  diagnose();
});
$("paste").addEventListener("submit", (e) => {
  e.preventDefault();
  const text = $("text").value;
  if (!text.trim()) return say("Paste something first.", true);
  const address = /^\s*https?:\/\/\S+\s*$/.test(text);
  add(address ? text.trim() : "pasted text " + (pieces.length + 1), new Blob([text]));
  $("text").value = "";
  diagnose();
});
document.addEventListener("dragover", (e) => {
  e.preventDefault();
  document.body.classList.add("over");
});
document.addEventListener("dragleave", (e) => {
  if (!e.relatedTarget) document.body.classList.remove("over");
});
document.addEventListener("drop", (e) => {
  e.preventDefault();
  document.body.classList.remove("over");
  for (const file of e.dataTransfer.files) add(file.name, file);
  const text = e.dataTransfer.files.length ? "" : e.dataTransfer.getData("text");
  if (text) add("dropped text", new Blob([text]));
  diagnose();
});
