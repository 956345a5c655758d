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
