import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";

const run = promisify(execFile);

export interface RunningPostgres {
  /** A new, empty database. */
  create(): Promise<string>;
  /** Ends the server at once, as a crash does, and starts it again. */
  crash(): Promise<void>;
  restart(): Promise<void>;
  /** Stops all its processes where they are: connections stay, and nothing answers. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  stop(): Promise<void>;
}

/** The directory of the server's programs; Debian keeps them out of PATH. */
async function binaries(): Promise<string | undefined> {
  const versions = await readdir("/usr/lib/postgresql").catch(() => []);
  const newest = versions
    .map(Number)
    .filter((v) => v >= 15)
    .sort((a, b) => b - a)[0];
  return newest === undefined ? undefined : `/usr/lib/postgresql/${newest}/bin`;
}

/** A PostgreSQL server of its own on a socket in a temporary directory; undefined where none is installed (in CI that throws). */
export async function startPostgres(): Promise<RunningPostgres | undefined> {
  const bin = await binaries();
  if (bin === undefined) {
    if (process.env["CI"] === "true") throw new Error("PostgreSQL 15 or newer is not installed");
    return undefined;
  }
  const directory = await mkdtemp(join(tmpdir(), "castellan-pg-"));
  // PostgreSQL refuses to run as root.
  const asRoot = process.getuid?.() === 0;
  const prefix = asRoot ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "env", "-C", "/"] : ["env"];
  if (asRoot) {
    const id = async (flag: string) => Number((await run("id", [flag, "postgres"])).stdout);
    await chown(directory, await id("-u"), await id("-g"));
  }
  const [program = "env", ...first] = prefix;
  const data = join(directory, "data");
  await run(program, [
    ...first,
    join(bin, "initdb"),
    "-D",
    data,
    "-A",
    "trust",
    "-U",
    "postgres",
    "--no-instructions",
    "-E",
    "UTF8",
  ]);
  const urlOf = (database: string) => `postgresql://postgres@localhost/${database}?host=${encodeURIComponent(directory)}`;
  const postgres = join(bin, "postgres");
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    const options = ["-c", "listen_addresses=", "-c", `unix_socket_directories=${directory}`, "-c", "max_connections=60"];
    server = spawn(program, [...first, postgres, "-D", data, ...options], { stdio: "ignore" });
    for (let tries = 0; ; tries++) {
      const client = new pg.Client({ connectionString: urlOf("postgres") });
      try {
        await client.connect();
        await client.end();
        return;
      } catch (error) {
        if (tries > 200) throw error;
        await sleep(100);
      }
    }
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const gone = new Promise((resolve) => server?.once("exit", resolve));
    server.kill(signal);
    await gone;
  }

  /** The server's process and those that serve its connections. */
  async function signal(name: NodeJS.Signals): Promise<void> {
    const main = server?.pid ?? 0;
    const { stdout } = await run("ps", ["-o", "pid=", "--ppid", String(main)]).catch(() => ({ stdout: "" }));
    const all = [
      main,
      ...stdout
        .split("\n")
        .map(Number)
        .filter((pid) => pid > 0),
    ];
    for (const pid of name === "SIGCONT" ? all.toReversed() : all) process.kill(pid, name);
  }

  await start();
  let databases = 0;
  return {
    async create() {
      const name = `t${databases++}`;
      const client = new pg.Client({ connectionString: urlOf("postgres") });
      await client.connect();
      await client.query(`create database ${name}`);
      await client.end();
      return urlOf(name);
    },
    crash: () => end("SIGQUIT"),
    restart: start,
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    async stop() {
      await end("SIGINT");
      await rm(directory, { recursive: true, force: true });
    },
  };
}
