import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, freePort, startCluster } from "../../cluster/start.ts";
import { kyvernoDefinitions } from "./definitions.ts";
import { ClusterObjects } from "./objects.ts";

/** A real control plane with our server behind its webhooks. */
export interface GovernedTestCluster {
  readonly objects: ClusterObjects;
  /** A shell script with kubectl on its PATH. */
  shell(script: string, cwd: string, env: { readonly [name: string]: string }): Promise<Ran>;
  stop(): Promise<void>;
}

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const main = join(import.meta.dirname, "../../../src/cli/main.ts");

/** Undefined where no control plane can be had; `more` are further options of `castellan serve`. */
export async function startGovernedCluster(more: readonly string[] = []): Promise<GovernedTestCluster | undefined> {
  const cluster = await startCluster({ controllerManager: true });
  if (!cluster.available) return undefined;
  const directory = await mkdtemp(join(tmpdir(), "castellan-chainsaw-"));
  const definitions = JSON.stringify({ apiVersion: "v1", kind: "List", items: kyvernoDefinitions() });
  const apply = ["--kubeconfig", cluster.kubeconfig, "apply", "-f", "-"];
  const applied = await run(cluster.kubectl, apply, { cwd: directory }, definitions);
  if (applied.code !== 0) throw new Error(applied.stderr);
  const server = await startServer(cluster, directory, more);
  const objects = await ClusterObjects.connect(cluster.kubeconfig);
  return {
    objects,
    shell: async (script, cwd, env) => {
      // Scripts change users and contexts: each test has a file of its own, beside its copy.
      const kubeconfig = join(cwd, "../.castellan-kubeconfig");
      await cp(cluster.kubeconfig, kubeconfig, { force: false });
      const path = `${join(cluster.kubectl, "..")}:${process.env["PATH"]}`;
      // What another cluster served on the same port is none of ours.
      const own = { KUBECONFIG: kubeconfig, KUBECACHEDIR: join(directory, "cache"), PATH: path };
      return run("bash", ["-c", script], { cwd, env: { ...process.env, ...env, ...own } });
    },
    async stop() {
      await objects.close();
      server.kill("SIGKILL");
      await cluster.stop();
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

async function startServer(cluster: Cluster, directory: string, more: readonly string[]): Promise<ChildProcess> {
  const port = await freePort();
  const args = [
    "serve",
    "--kubeconfig",
    cluster.kubeconfig,
    "--data",
    join(directory, "data"),
    "--webhook-listen",
    `127.0.0.1:${port}`,
    "--listen",
    "127.0.0.1:0",
    ...more,
  ];
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  child.stderr.on("data", (chunk) => {
    text += String(chunk);
    // Whoever runs a few tests by hand wants to know what the server says.
    if (process.env["CHAINSAW"] !== undefined) process.stderr.write(chunk);
  });
  for (let tries = 0; !text.includes("castellan: governs"); tries++) {
    if (tries > 600 || child.exitCode !== null) throw new Error(`the server did not start:\n${text}`);
    await sleep(100);
  }
  return child;
}

function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
  input?: string,
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { ...options, maxBuffer: 64 << 20, timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      resolve({ code, stdout, stderr: stderr === "" && error !== null ? error.message : stderr });
    });
    child.stdin?.end(input);
  });
}
