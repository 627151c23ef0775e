import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import { tapOpener } from "../../src/server/gateway/stream/open-tap.ts";
import { Recordings } from "../../src/services/access/recordings.ts";
import { type Kubelet, startKubelet } from "../cluster/kubelet.ts";
import { type Cluster, freePorts, startCluster } from "../cluster/start.ts";
import { accessAs, asAdmin, GatewayStand, installGatewayRoles, person } from "./gateway-stand.ts";

/** The system's own kubectl, where its version is not that of the test cluster. */
function systemKubectl(): string | undefined {
  try {
    return execFileSync("sh", ["-c", "command -v kubectl"], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

const program = systemKubectl();
const version =
  program === undefined ? "" : execFileSync(program, ["version", "--client"], { encoding: "utf8" }).split("\n")[0]?.trim();
let cluster: Cluster | undefined;
let kubelet: Kubelet | undefined;
let stand: GatewayStand;
let directory = "";
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  if (program === undefined) return;
  const started = await startCluster({ kubelet: true });
  if (!started.available) return;
  cluster = started;
  closing.push(() => started.stop());
  const node = await startKubelet(started);
  if (!node.available) return;
  closing.push(() => node.stop());
  await installGatewayRoles(started);
  await asAdmin(started, ["create", "clusterrolebinding", "alice", "--clusterrole=cluster-admin", "--user=alice@example.com"]);
  directory = await mkdtemp(join(tmpdir(), "castellan-kubectl-"));
  closing.push(() => rm(directory, { recursive: true, force: true }));
  const store = await openSqlite(join(directory, "store"));
  closing.push(() => store.close());
  const ledger = new Ledger(store, await openSigner(directory, "test.example/ledger"), Date.now);
  closing.push(() => ledger.close());
  const recordings = new Recordings({ store, ledger, now: Date.now });
  await recordings.start();
  closing.push(() => recordings.close());
  stand = new GatewayStand(started, ledger);
  stand.people.set("alice", person("alice"));
  await stand.start(accessAs(started, "bob"), { parts: { openTap: tapOpener({ recordings, recordInput: false }) } });
  closing.push(() => stand.stop());
  await node.runPod("default", "web");
  kubelet = node;
});

afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});

interface Ran {
  readonly code: number | null;
  readonly text: string;
}

async function start(args: readonly string[], websockets: boolean) {
  const env = {
    ...process.env,
    HOME: directory,
    KUBECONFIG: await stand.kubeconfig("alice"),
    KUBECTL_REMOTE_COMMAND_WEBSOCKETS: String(websockets),
    KUBECTL_PORT_FORWARD_WEBSOCKETS: String(websockets),
  };
  return spawn(program ?? "", args, { env, stdio: ["pipe", "pipe", "pipe"] });
}

async function kubectl(args: readonly string[], input = "", websockets = true): Promise<Ran> {
  const child = await start(args, websockets);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += String(chunk)));
  child.stdin.end(input);
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, text })));
}

const configMap = (value: string) =>
  JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings", namespace: "default" }, data: { value } });

describe.skipIf(program === undefined)(`the system's kubectl (${version}) through the gateway`, () => {
  test("reads and writes", async ({ skip }) => {
    if (cluster === undefined) skip("no cluster");
    for (const [args, input, said] of [
      [["apply", "-f", "-"], configMap("1"), "created"],
      [["apply", "-f", "-"], configMap("2"), "configured"],
      [["apply", "--server-side", "--force-conflicts", "-f", "-"], configMap("3"), "serverside-applied"],
      [["patch", "configmap", "settings", "-p", '{"data":{"value":"4"}}'], "", "patched"],
      [["get", "configmap", "settings", "-o", "jsonpath={.data.value}"], "", "4"],
      [["get", "configmaps", "--watch", "--request-timeout=2s"], "", "settings"],
      [["delete", "configmap", "settings"], "", "deleted"],
    ] as const) {
      expect((await kubectl(args, input)).text).toContain(said);
    }
  });

  describe.each([
    ["WebSocket", true],
    ["SPDY", false],
  ] as const)("over %s", (name, websockets) => {
    test("runs commands, copies, follows logs", async ({ skip }) => {
      const node = kubelet;
      if (node === undefined) return skip("no kubelet");
      expect(await kubectl(["exec", "-i", "web", "--", "sh", "-c", "cat; exit 3"], "typed", websockets)).toMatchObject({
        code: 3,
        text: expect.stringContaining("typed"),
      });
      const [from, back] = [join(directory, `${name}-from`), join(directory, `${name}-back`)];
      await writeFile(from, "copied");
      expect((await kubectl(["cp", from, "web:there"], "", websockets)).code).toBe(0);
      expect((await kubectl(["cp", "web:there", back], "", websockets)).code).toBe(0);
      expect(await readFile(back, "utf8")).toBe("copied");
      await node.log("default", "web", `a line for ${name}\n`);
      expect((await kubectl(["logs", "web"])).text).toContain(`a line for ${name}`);
    });

    test("forwards ports", async ({ skip }) => {
      if (kubelet === undefined) skip("no kubelet");
      const [port = 0] = await freePorts(1);
      const echo = createServer((socket) => socket.end("hello"));
      const inside = await new Promise<number>((resolve) => {
        echo.listen(0, "127.0.0.1", () => {
          const address = echo.address();
          resolve(typeof address === "object" && address !== null ? address.port : 0);
        });
      });
      const forwarding = await start(["port-forward", "web", `${port}:${inside}`], websockets);
      try {
        await new Promise<void>((resolve) => forwarding.stdout.once("data", () => resolve()));
        const said = await new Promise<string>((resolve, reject) => {
          const socket = connect(port, "127.0.0.1");
          let text = "";
          socket.on("data", (chunk) => (text += String(chunk)));
          socket.once("close", () => resolve(text));
          socket.once("error", reject);
        });
        expect(said).toBe("hello");
      } finally {
        forwarding.kill("SIGKILL");
        echo.close();
      }
    });
  });
});
