// What a bundle holds, opened again by other tools: tshark, a validator of HAR.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { program, sample } from "./served.js";

const require = createRequire(import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "why401-bundle-"));

/** The redacted evidence of one piece, as a file. */
function redacted(name, ...options) {
  const zip = join(folder, "case.zip");
  const packed = spawnSync(program, ["bundle", sample(name), "-o", zip, ...options], { encoding: "utf8" });
  // A finding is status 1.
  assert.ok(packed.status < 2, packed.stderr);
  const python = "import sys,zipfile\nz=zipfile.ZipFile(sys.argv[1])\nprint(z.extract([n for n in z.namelist() if n.startswith('evidence/')][0],sys.argv[2]))";
  return execFileSync("python3", ["-c", python, zip, folder], { encoding: "utf8" }).trim();
}

const tshark = existsSync("/usr/bin/tshark");
const shark = (file, filter) =>
  execFileSync("tshark", ["-r", file, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-Y", filter], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split("\n").filter(Boolean).length;

for (const options of [[], ["--mask-addresses"]]) {
  test(`a redacted capture opens in Wireshark with as many exchanges ${options}`, { skip: !tshark && "no tshark here" }, () => {
    const [before, after] = [sample("dropped-by-proxy.pcap"), redacted("dropped-by-proxy.pcap", ...options)];
    for (const filter of ["http.request", "http.response", "http.response.code == 401", "http.authorization"]) {
      assert.ok(shark(before, "http.response.code == 401") > 0);
      assert.equal(shark(after, filter), shark(before, filter), filter);
    }
    // Loopback captures hold sums that a network card would have finished: what was no sum before is none now.
    const bad = "tcp.checksum.status == Bad || ip.checksum.status == Bad || _ws.malformed";
    assert.equal(shark(after, bad), shark(before, bad));
    assert.equal(shark(after, "http.authbasic contains \"alice:\"") > 0, true, "the account is kept");
    const secrets = execFileSync("tshark", ["-r", before, "-T", "fields", "-e", "http.authbasic"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const password = secrets.split("\n").find((line) => line.includes(":")).split(":")[1];
    assert.equal(shark(after, `frame contains "${password}" || http.authbasic contains "${password}"`), 0);
  });
}

test("a redacted HAR is a HAR", () => {
  const ajv = new (require("ajv"))({ allErrors: true, schemaId: "auto" });
  ajv.addMetaSchema(require("ajv/lib/refs/json-schema-draft-06.json"));
  const schemas = require("har-schema");
  for (const schema of Object.values(schemas)) ajv.addSchema(schema);
  const validate = ajv.getSchema(schemas.har.$id);
  const har = JSON.parse(readFileSync(redacted("page.har"), "utf8"));
  assert.ok(validate(har), ajv.errorsText(validate.errors));
  assert.equal(har.log.entries.length, JSON.parse(readFileSync(sample("page.har"), "utf8")).log.entries.length);
});
