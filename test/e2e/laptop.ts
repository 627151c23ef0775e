import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { castellan, type Ran } from "./castellan-server.ts";

/** Somebody's own machine: their kubeconfig and login, nothing of the server's. */
export class Laptop {
  readonly #home: string;

  private constructor(home: string) {
    this.#home = home;
  }

  /** With `castellan` on PATH, as `npm install --global castellan` puts it there. */
  static async open(home: string): Promise<Laptop> {
    await mkdir(home, { recursive: true });
    const program = `#!/bin/sh\nexec "${process.execPath}" "${castellan}" "$@"\n`;
    await writeFile(join(home, "castellan"), program, { mode: 0o755 });
    return new Laptop(home);
  }

  run(program: string, args: readonly string[]): Promise<Ran> {
    const home = this.#home;
    const env = {
      ...process.env,
      HOME: home,
      XDG_CACHE_HOME: join(home, ".cache"),
      XDG_CONFIG_HOME: join(home, ".config"),
      KUBECONFIG: join(home, "config"),
      PATH: `${home}:${process.env["PATH"]}`,
    };
    const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += String(chunk)));
    return new Promise((resolve) => child.once("close", (code) => resolve({ code: code ?? -1, text })));
  }

  castellan(...args: readonly string[]): Promise<Ran> {
    return this.run(process.execPath, [castellan, ...args]);
  }
}
