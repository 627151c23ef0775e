import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, freePort, startCluster } from "../cluster/start.ts";
import { runCli } from "../run-cli.ts";
import { kubectl } from "./castellan-server.ts";
import { configMap, requireTeam } from "./require-team.ts";

const root = join(import.meta.dirname, "../..");
let cluster: Cluster | NotAvailable;
let directory = "";
let child: ChildProcess | undefined;
let output = "";

/** `npm start -- ...flags`, built before the tests; resolves when it has looked at everything once. */
async function start(data: string, ...flags: readonly string[]): Promise<void> {
  const [program, ...script] = JSON.parse(await readFile(join(root, "package.json"), "utf8")).scripts.start.split(" ");
  expect(program).toBe("node");
  const own = ["--data", join(directory, data), "--listen", "127.0.0.1:0"];
  const started = spawn(process.execPath, [...script, ...flags, ...own], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  child = started;
  output = "";
  for (const stream of [started.stdout, started.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  for (let waited = 0; !output.includes("Ctrl-C stops."); waited += 100) {
    if (started.exitCode !== null || waited > 90_000) throw new Error(`it did not start:\n${output}`);
    await sleep(100);
  }
}

const origin = () => /console: .*(http:\/\/[^/]+)\//.exec(output)?.[1] ?? "";

function running(): Cluster {
  if (!cluster.available) throw new Error(cluster.reason);
  return cluster;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-start-"));
  cluster = await startCluster();
});

afterEach(async () => {
  const running = child;
  child = undefined;
  if (running === undefined || running.exitCode !== null) return;
  const gone = new Promise((resolve) => running.once("exit", resolve));
  running.kill("SIGINT");
  expect(await gone).toBe(0);
});

afterAll(async () => {
  if (cluster.available) await cluster.stop();
  await rm(directory, { recursive: true, force: true });
});

test("where no cluster is named it is the sample platform, with its people, their rules, its audit log and its flows", async () => {
  await start("sample");
  expect(output).toMatch(/governs files: \d+ objects/);
  const login = await request(`${origin()}/login/as/ada`);
  const [cookie = ""] = String(login.headers["set-cookie"]).split(";");
  const get = async (path: string) => {
    const answer = await request(origin() + path, { headers: { cookie } });
    return JSON.parse(await answer.body.text());
  };
  expect(await get("/api/v1/session")).toMatchObject({ user: { name: "ada", groups: ["ml-engineers", "castellan:viewer"] } });
  expect(await get("/api/v1/access/offer?type=session&namespace=nlp")).toMatchObject({ offer: { rule: "team-session" } });
  const { items } = await get("/api/v1/flows");
  expect(items).toMatchObject([{ cluster: "files" }]);
  expect(items[0].flows).toBeGreaterThan(10);
  const { out } = await runCli(["audit", "query", "--kind", "audit.event", "-o", "json", "--data", join(directory, "sample")]);
  expect(out).toContain('"cluster":"files"');
});

test.for([
  { named: "its current context", flags: (kubeconfig: string) => ["--kubeconfig", kubeconfig] },
  { named: "a context by name", flags: (kubeconfig: string) => [`--kubeconfig=${kubeconfig}`, "--context=admin"] },
])("a real cluster that is named is governed, and nothing of the sample: $named", async ({ named, flags }, { skip }) => {
  if (!cluster.available) skip(cluster.reason);
  const policies = join(directory, "policies.yaml");
  await writeFile(policies, requireTeam);
  await start(named, ...flags(running().kubeconfig), "--policies", policies, "--webhook-listen", `127.0.0.1:${await freePort()}`);
  expect(output).toContain("governs admin: ");
  expect(output).not.toMatch(/governs files|sample|logs in at/);
  expect((await kubectl(running(), ["apply", "-f", "-"], configMap("a"))).text).toContain("label team is required");
  expect(await kubectl(running(), ["apply", "-f", "-"], configMap("b", { team: "nlp" }))).toMatchObject({ code: 0 });
  const { out } = await runCli(["audit", "query", "-o", "json", "--data", join(directory, named)]);
  expect(out).toContain('"cluster":"admin"');
  expect(out).not.toContain('"cluster":"files"');
});

test.each(["--kubeconfig", "--context"])(
  "manifests and %s in one command line are told apart, not one of them ignored",
  async (flag) => {
    const { code, err } = await runCli(["serve", "--files", "manifests", flag, "x", "--data", join(directory, "none")]);
    expect([code, err]).toEqual([3, expect.stringContaining(`'--files <path>' cannot be used with option '${flag}`)]);
  },
);
