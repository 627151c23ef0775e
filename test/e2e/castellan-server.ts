import { type ChildProcess, execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { Agent, request } from "undici";
import { readSqlite } from "../../src/adapters/store/sqlite.ts";
import { CallKeys, callKeysName } from "../../src/services/admission/call-keys.ts";
import { type Cluster, freePorts } from "../cluster/start.ts";

/** The program, run from its sources. */
export const castellan = join(import.meta.dirname, "../../src/cli/main.ts");
const run = promisify(execFile);

export interface Ran {
  readonly code: number;
  readonly text: string;
}

async function ran(program: string, args: readonly string[], input = "", env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const child = run(program, args, { env: { ...process.env, ...env }, maxBuffer: 64 << 20 });
  // One that ends without reading it says why.
  child.child.stdin?.on("error", () => {}).end(input);
  return child.then(
    ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, text: error.stdout + error.stderr }),
  );
}

export const kubectl = (cluster: Cluster, args: readonly string[], input?: string, user = "admin"): Promise<Ran> =>
  ran(cluster.kubectl, ["--kubeconfig", cluster.kubeconfig, "--context", user, ...args], input);

/** A `castellan serve` that can be ended and started again with the same data and address. */
export class CastellanServer {
  readonly #data: string;
  readonly #flags: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  #webhook = "";
  #secret = "";
  output = "";

  /** `webhook`: where the API server calls it; else on a free port. */
  constructor(data: string, flags: readonly string[], env: NodeJS.ProcessEnv = {}, webhook = "") {
    this.#data = data;
    this.#webhook = webhook;
    this.#flags = flags;
    // Whoever is logged in on this machine, the tests ask their own server.
    this.#env = { XDG_CONFIG_HOME: join(data, "config"), ...env };
  }

  /** Where the API server calls it. */
  get webhook(): string {
    return this.#webhook;
  }

  /** Of its process; undefined before it is started. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when it has looked at everything once. */
  async start(): Promise<void> {
    if (this.#webhook === "") this.#webhook = `127.0.0.1:${(await freePorts(1))[0]}`;
    const own = ["--data", this.#data, "--webhook-listen", this.#webhook, "--listen", "127.0.0.1:0"];
    const child = spawn(process.execPath, [castellan, "serve", ...this.#flags, ...own], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...this.#env },
    });
    this.#child = child;
    this.output = "";
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (this.output += String(chunk)));
    await this.until(() => {
      if (child.exitCode !== null) throw new Error(`the server ended by itself:\n${this.output}`);
      return this.output.includes("castellan: governs") && this.#found() !== undefined;
    });
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode !== null && child.exitCode > 0)
      throw new Error(`the server ended by itself:\n${this.output}`);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await gone;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** What the webhook shows to a new caller; PEM in one line. */
  certificate(): Promise<string> {
    const [host, port] = this.#webhook.split(":");
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
        const { raw } = socket.getPeerCertificate();
        socket.end();
        resolve(raw.toString("base64"));
      });
      socket.once("error", reject);
    });
  }

  async until(condition: () => boolean | Promise<boolean>, seconds = 60): Promise<void> {
    for (const end = performance.now() + seconds * 1000; !(await condition()); ) {
      if (performance.now() > end) throw new Error(`it did not happen; the server said:\n${this.output}`);
      await sleep(100);
    }
  }

  /** Another command with the server's data directory. */
  run(...args: readonly string[]): Promise<Ran> {
    return ran(process.execPath, [castellan, ...args, "--data", this.#data], "", this.#env);
  }

  async metrics(): Promise<string> {
    // As Prometheus asks: by whatever address it knows.
    return (await request(`${this.origin}/metrics`, { headers: { host: "10.1.2.3:8080" } })).body.text();
  }

  /** Where the console and the API are. */
  get origin(): string {
    const origin = this.#found();
    if (origin === undefined) throw new Error(`it did not start:\n${this.output}`);
    return origin;
  }

  #found(): string | undefined {
    return /console:? .*(http:\/\/[^/]+)\//.exec(this.output)?.[1];
  }

  /** The path under which the API server calls the webhook `path` at the moment; of an embedded database. */
  async callPath(path: string): Promise<string> {
    if (this.#secret === "") {
      const store = await readSqlite(this.#data);
      const kept = store.reading.selectFrom("shared_keys").select("value").where("name", "=", callKeysName);
      this.#secret = (await kept.executeTakeFirstOrThrow()).value;
      await store.close();
    }
    return new CallKeys(this.#secret, Date.now).path("") + path;
  }

  /** A review as the API server would send it; the status is 0 where nobody answers. */
  async review(object: object, path = "/validate/deny"): Promise<{ readonly status: number; readonly text: string }> {
    const agent = new Agent({ connect: { rejectUnauthorized: false } });
    try {
      const body = JSON.stringify(object);
      const headers = { "content-type": "application/json" };
      const keyed = await this.callPath(path);
      const answer = await agent.request({ origin: `https://${this.#webhook}`, path: keyed, method: "POST", headers, body });
      return { status: answer.statusCode, text: await answer.body.text() };
    } catch (error) {
      return { status: 0, text: String(error) };
    } finally {
      await agent.close();
    }
  }
}
