import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { Agent } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, freePort, startCluster } from "../cluster/start.ts";

const run = promisify(execFile);
const castellan = join(import.meta.dirname, "../../src/cli/main.ts");

const policies = `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: require-team}
spec:
  rules:
    - name: label
      match: {any: [{resources: {kinds: [ConfigMap]}}]}
      validate: {failureAction: Enforce, message: "label team is required", pattern: {metadata: {labels: {team: "?*"}}}}
---
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: suggest-owner}
spec:
  rules:
    - name: owner
      match: {any: [{resources: {kinds: [ConfigMap]}}]}
      validate: {failureAction: Audit, message: "label owner is nice", pattern: {metadata: {labels: {owner: "?*"}}}}
---
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: add-cost-centre}
spec:
  rules:
    - name: cost
      match: {any: [{resources: {kinds: [ConfigMap]}}]}
      mutate: {patchStrategicMerge: {metadata: {labels: {+(cost): "42"}}}}
`;

let cluster: Cluster | NotAvailable;
let directory = "";
let server: ChildProcess | undefined;
let output = "";
let listen = "";

function configMap(name: string, labels: object, namespace = "default"): string {
  return JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace, labels } });
}

async function kubectl(args: readonly string[], input?: string): Promise<{ code: number; text: string }> {
  if (!cluster.available) throw new Error(cluster.reason);
  const child = run(cluster.kubectl, ["--kubeconfig", cluster.kubeconfig, ...args]);
  child.child.stdin?.end(input);
  return child.then(
    ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, text: error.stdout + error.stderr }),
  );
}

const apply = (manifest: string) => kubectl(["apply", "-f", "-"], manifest);

async function startServer(): Promise<void> {
  if (!cluster.available) return;
  listen = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    process.execPath,
    [
      castellan,
      "serve",
      "--kubeconfig",
      cluster.kubeconfig,
      "--data",
      join(directory, "data"),
      "--policies",
      join(directory, "policies.yaml"),
      "--webhook-listen",
      listen,
      "--listen",
      "127.0.0.1:0",
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  server = child;
  output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  await until(() => output.includes("castellan: governs"));
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    if (tries > 300) throw new Error(`it did not happen; the server said:\n${output}`);
    await sleep(100);
  }
}

async function stopServer(signal: NodeJS.Signals): Promise<void> {
  const gone = new Promise((resolve) => server?.once("exit", resolve));
  server?.kill(signal);
  await gone;
}

const ledger = async (...args: readonly string[]) =>
  (await run(process.execPath, [castellan, "audit", ...args, "--data", join(directory, "data")])).stdout;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-serve-"));
  await writeFile(join(directory, "policies.yaml"), policies);
  cluster = await startCluster();
  await startServer();
});

afterAll(async () => {
  await stopServer("SIGTERM");
  if (cluster.available) await cluster.stop();
  await rm(directory, { recursive: true, force: true });
});

describe("a real API server calls our webhooks", () => {
  test("denies with the policy's message, mutates, and keeps both", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const denied = await apply(configMap("a", {}));
    expect(denied.code).toBe(1);
    expect(denied.text).toContain("label team is required");
    expect(denied.text).toContain("require-team");
    expect(await apply(configMap("b", { team: "nlp" }))).toMatchObject({ code: 0 });
    expect((await kubectl(["get", "cm", "b", "-o", "jsonpath={.metadata.labels}"])).text).toContain('"cost":"42"');
    const records = await ledger("query", "--kind", "admission.decision", "-o", "json");
    const outcomes = records
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).record)
      .filter((record) => record.name === "a" || record.name === "b")
      .map((record) => `${record.name} ${record.outcome} ${record.data.stage}`);
    expect(new Set(outcomes)).toEqual(new Set(["a deny validate", "b audit validate", "a allow mutate", "b allow mutate"]));
    expect(await ledger("verify")).toContain("verified");
  });

  test("a dry run is judged and leaves no record", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const denied = await kubectl(["apply", "--dry-run=server", "-f", "-"], configMap("dry", {}));
    expect(denied.text).toContain("label team is required");
    expect(await ledger("query", "--name", "dry")).toContain("no records");
  });

  test("a namespace with the break-glass label is left alone, others are not", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    await kubectl(["create", "namespace", "fire"]);
    expect((await apply(configMap("c", {}, "fire"))).code).toBe(1);
    await kubectl(["label", "namespace", "fire", "castellan.dev/break-glass=incident-7"]);
    await until(async () => (await apply(configMap("c", {}, "fire"))).code === 0);
  });

  test("webhooks that somebody took out come back by themselves", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const configuration = ["validatingwebhookconfigurations", "castellan"];
    const uid = async () => (await kubectl(["get", ...configuration, "-o", "jsonpath={.metadata.uid}"])).text;
    const before = await uid();
    expect((await kubectl(["delete", ...configuration])).code).toBe(0);
    await until(async () => /^[0-9a-f-]{36}$/.test(await uid()));
    expect(await uid()).not.toBe(before);
    await until(async () => (await apply(configMap("gone", {}))).code === 1);
  });

  test("policies in the cluster are taken up as they change; a broken one replaces nothing", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const definition = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "clusterpolicies.kyverno.io" },
      spec: {
        group: "kyverno.io",
        names: { kind: "ClusterPolicy", plural: "clusterpolicies" },
        scope: "Cluster",
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
          },
        ],
      },
    };
    expect((await apply(JSON.stringify(definition))).code).toBe(0);
    const policy = (pattern: object) =>
      JSON.stringify({
        apiVersion: "kyverno.io/v1",
        kind: "ClusterPolicy",
        metadata: { name: "no-secrets-here" },
        spec: {
          rules: [
            {
              name: "size",
              match: { any: [{ resources: { kinds: ["Secret"] } }] },
              validate: { failureAction: "Enforce", message: "no secrets here", ...pattern },
            },
          ],
        },
      });
    await until(async () => (await apply(policy({ deny: {} }))).code === 0);
    const secret = (name: string) => kubectl(["create", "secret", "generic", name, "--from-literal=a=b"]);
    let n = 0;
    await until(async () => (await secret(`s${n++}`)).text.includes("no secrets here"));
    const refused = await apply(policy({ patternz: {} }));
    expect([refused.code, refused.text]).toEqual([1, expect.stringContaining('unknown field "patternz"')]);
    expect((await secret(`s${n++}`)).text).toContain("no secrets here");
    await kubectl(["delete", "clusterpolicy", "no-secrets-here"]);
    await until(async () => (await secret(`s${n++}`)).code === 0);
  });

  test("policy files are followed; what cannot be read replaces nothing, and each change is recorded", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const file = join(directory, "policies.yaml");
    const strict = policies.replace("label team is required", "label team is still required");
    await writeFile(file, strict);
    let n = 0;
    await until(async () => (await apply(configMap(`f${n++}`, {}))).text.includes("still required"));
    await writeFile(file, `${policies}---\nkind: [`);
    await until(() => output.includes("stay in force until they can"));
    expect((await apply(configMap("broken", {}))).text).toContain("still required");
    await writeFile(file, policies);
    await until(async () => !(await apply(configMap(`f${n++}`, {}))).text.includes("still required"));
    const changes = (await ledger("export", "--kind", "policy.changed")).trim().split("\n");
    expect(changes.map((line) => JSON.parse(line).record).map(({ outcome, data }) => [outcome, data.changed])).toEqual([
      ["loaded", ["kyverno.io/ClusterPolicy/require-team"]],
      ["refused", ["kyverno.io/ClusterPolicy/require-team"]],
      ["loaded", ["kyverno.io/ClusterPolicy/require-team"]],
    ]);
  });

  test("policy reports appear for what is wrong, and go with it", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const openSchema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    for (const [kind, plural, scope] of [
      ["PolicyReport", "policyreports", "Namespaced"],
      ["ClusterPolicyReport", "clusterpolicyreports", "Cluster"],
    ]) {
      const names = { kind, plural, singular: kind?.toLowerCase() };
      const versions = [{ name: "v1alpha2", served: true, storage: true, schema: openSchema }];
      const spec = { group: "wgpolicyk8s.io", names, scope, versions };
      const metadata = { name: `${plural}.wgpolicyk8s.io` };
      expect(
        (await apply(JSON.stringify({ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata, spec })))
          .code,
      ).toBe(0);
    }
    const container = { name: "c", image: "busybox:latest", securityContext: { privileged: true } };
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "naughty", namespace: "default" },
      spec: { containers: [container] },
    };
    expect((await apply(JSON.stringify(pod))).code).toBe(0);
    const reports = async () => {
      const { items = [] } = JSON.parse((await kubectl(["get", "policyreports", "-A", "-o", "json"])).text || "{}");
      return items.filter((item: { scope: { name: string } }) => item.scope.name === "naughty");
    };
    await until(async () => (await reports()).length === 1);
    const [report] = await reports();
    expect(report.results.map((result: { policy: string }) => result.policy)).toContain("pod-security/baseline");
    expect(report.summary.fail).toBe(report.results.filter((result: { result: string }) => result.result === "fail").length);
    const ofCluster = JSON.parse((await kubectl(["get", "clusterpolicyreport", "-o", "json"])).text);
    expect(ofCluster.items.every((item: { results: unknown }) => Array.isArray(item.results))).toBe(true);
    await kubectl(["delete", "pod", "naughty", "--force"]);
    await until(async () => (await reports()).length === 0);
  });

  test("the API server's own audit events arrive once each, by its token alone", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const token = (await readFile(join(directory, "data/audit-token"), "utf8")).trim();
    const item = (n: number) => ({
      auditID: `id-${n}`,
      stage: "ResponseComplete",
      verb: "delete",
      user: { username: "mallory" },
      objectRef: { resource: "secrets", namespace: "nlp", name: `s${n}`, apiVersion: "v1" },
      responseStatus: { code: 200 },
      stageTimestamp: "2026-11-20T10:00:00.000000Z",
    });
    const body = gzipSync(JSON.stringify({ kind: "EventList", apiVersion: "audit.k8s.io/v1", items: [item(1), item(2)] }));
    const agent = new Agent({ connect: { ca: await readFile(join(directory, "data/tls/authority.pem"), "utf8") } });
    const post = async (authorization: string) => {
      const headers = { authorization, "content-encoding": "gzip", "content-type": "application/json" };
      return (await agent.request({ origin: `https://${listen}`, path: "/audit?cluster=prod", method: "POST", headers, body }))
        .statusCode;
    };
    expect(await post("Bearer wrong")).toBe(401);
    expect(await post(`Bearer ${token}`)).toBe(200);
    expect(await post(`Bearer ${token}`)).toBe(200);
    await agent.close();
    const found = (await ledger("query", "--actor", "mallory", "-o", "json")).trim().split("\n");
    expect(found.map((line) => JSON.parse(line).record.name)).toEqual(["s2", "s1"]);
  });

  test.for([
    ["lines of a flow log", "/flows", (line: string) => line],
    [
      "a collector's logs",
      "/v1/logs",
      (line: string) => JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: line } }] }] }] }),
    ],
  ] as const)("%s are shown beside what policies say", async ([, path, wrap], { skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const token = (await readFile(join(directory, "data/audit-token"), "utf8")).trim();
    const agent = new Agent({ connect: { ca: await readFile(join(directory, "data/tls/authority.pem"), "utf8") } });
    const pod = (name: string) => ({ namespace: "default", pod_name: name, labels: [`k8s:app=${name}`] });
    const port = path === "/flows" ? 5432 : 5433;
    const flow = {
      time: "2026-11-20T10:00:00Z",
      verdict: "FORWARDED",
      IP: { source: "10.9.0.1", destination: "203.0.113.9" },
      l4: { TCP: { destination_port: port } },
      source: pod("nobody"),
      destination: { labels: ["reserved:world"] },
    };
    const post = async (authorization: string, query: string, body: string) =>
      (
        await agent.request({
          origin: `https://${listen}`,
          path: `${path}${query}`,
          method: "POST",
          headers: { authorization },
          body,
        })
      ).statusCode;
    const body = wrap(JSON.stringify({ flow }));
    expect(await post("Bearer wrong", "?cluster=admin", body)).toBe(401);
    expect(await post(`Bearer ${token}`, "?cluster=elsewhere", body)).toBe(400);
    if (path === "/v1/logs") expect(await post(`Bearer ${token}`, "?cluster=admin", "{}")).toBe(400);
    expect(await post(`Bearer ${token}`, "?cluster=admin", body)).toBe(200);
    await agent.close();
  });

  test("killed in the middle of admissions: what was answered is recorded, and the failure policy holds", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const admitted: string[] = [];
    let going = true;
    const load = Array.from({ length: 8 }, async (_, lane) => {
      for (let n = 0; going; n++)
        if ((await apply(configMap(`k${lane}-${n}`, { team: "x" }))).code === 0) admitted.push(`k${lane}-${n}`);
    });
    await until(() => admitted.length > 15);
    await stopServer("SIGKILL");
    going = false;
    await Promise.all(load);
    expect((await apply(configMap("z", { team: "x" }))).code).toBe(1);
    const recorded = (await ledger("export", "--kind", "admission.decision"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).record)
      .filter((record) => record.data.stage === "validate")
      .map((record) => record.name);
    expect(admitted.filter((name) => !recorded.includes(name))).toEqual([]);
    expect(await ledger("verify")).toContain("verified");
    await startServer();
    expect((await apply(configMap("z", { team: "x" }))).code).toBe(0);
  });

  test("a clean stop takes the webhooks out", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    await stopServer("SIGTERM");
    expect((await kubectl(["get", "validatingwebhookconfigurations", "castellan"])).text).toContain("NotFound");
    expect((await apply(configMap("y", {}))).code).toBe(0);
    await startServer();
  });
});
