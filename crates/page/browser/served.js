// Starts `why401 serve` for a test, and ends it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("../../../", import.meta.url));

export const program = process.env.WHY401 ?? repository + "target/debug/why401";
export const sample = (name) => repository + "samples/" + name;

export async function serve() {
  const process = spawn(program, ["serve"], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: process.stdout }), "line");
  const url = line.replace("listening on ", "");
  const end = async () => {
    process.kill("SIGTERM");
    const [status] = await once(process, "exit");
    return status;
  };
  return { url, end };
}

/** An access log of so many megabytes; alice is refused all the time, the others are not. */
export function largeLog(megabytes) {
  const lines = [];
  for (let second = 0, size = 0; size < megabytes * 1e6; second++) {
    const user = ["alice", "bob", "carol", "dave"][second % 4];
    const time = new Date(Date.UTC(2026, 10, 22) + second * 100).toISOString().slice(11, 19);
    const line = `192.0.2.${1 + (second % 4)} - ${user} [22/Nov/2026:${time} +0000] "GET /orders/${second} HTTP/1.1" ${user === "alice" ? 401 : 200} 179 "-" "curl/8.5.0"\n`;
    lines.push(line);
    size += line.length;
  }
  return lines.join("");
}
