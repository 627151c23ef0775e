import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Agent } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../../src/adapters/files/catalog.ts";
import { applyCall, kubectlCall, type PlannedCall } from "../../src/cli/planned-call.ts";
import { isKubernetesObject } from "../../src/core/kubernetes.ts";
import { parseDocuments } from "../../src/core/yaml/parse-documents.ts";
import { startCluster } from "../cluster/start.ts";

const cluster = await startCluster();
const folder = mkdtempSync(join(tmpdir(), "castellan-planned-"));
const calls: PlannedCall[] = [];
const resources = loadKubernetesSchemas().resources();
const run = promisify(execFile);
let relay: Server;
let agent: Agent;

/** Passes kubectl's calls on and keeps what it sent. */
beforeAll(async () => {
  if (!cluster.available) return;
  agent = new Agent({ connect: { ca: cluster.authority, checkServerIdentity: () => undefined } });
  relay = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    const passOn = async () => {
      const body = Buffer.concat(chunks);
      const method = request.method ?? "";
      calls.push({
        method,
        target: request.url ?? "",
        contentType: request.headers["content-type"] ?? "",
        body: body.toString("utf8"),
      });
      const { host: _, connection: _connection, ...headers } = request.headers;
      const answer = await agent.request({
        origin: cluster.server,
        path: request.url ?? "",
        method: method as "GET",
        headers: { ...headers, authorization: `Bearer ${cluster.token("admin")}`, "accept-encoding": "identity" },
        body: body.length === 0 ? null : body,
      });
      response.writeHead(answer.statusCode, answer.headers as Record<string, string>);
      response.end(Buffer.from(await answer.body.arrayBuffer()));
    };
    request.on("end", () => void passOn());
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => relay.once("listening", resolve));
});

afterAll(async () => {
  if (!cluster.available) return;
  relay.closeAllConnections();
  await new Promise((resolve) => relay.close(resolve));
  await agent.close();
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

const manifest = `
apiVersion: v1
kind: ConfigMap
metadata:
  name: odd
  labels: {zeta: "1", Alpha: "2"}
  annotations: {note: "<b>&amp; \\u2028 é 😀"}
data:
  b: "1"
  a: "two\\nlines\\ttab"
  Z.upper: "private \\uE000"
binaryData: {}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx, resources: {limits: {cpu: 1, memory: 1Gi}}}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: elsewhere}
`;

async function kubectl(...argv: readonly string[]): Promise<void> {
  if (!cluster.available) throw new Error("no cluster");
  const address = relay.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  calls.length = 0;
  await run(cluster.kubectl, [
    "--server",
    `http://127.0.0.1:${port}`,
    "--kubeconfig",
    "/dev/null",
    "--cache-dir",
    join(folder, "cache"),
    "-n",
    "default",
    ...argv,
  ]);
}

const sent = (planned: PlannedCall) => calls.find(({ method, target }) => method === planned.method && target === planned.target);

describe.skipIf(!cluster.available)("calls that are approved before they are sent are those that kubectl sends", () => {
  test("apply --server-side", async () => {
    const file = join(folder, "manifest.yaml");
    writeFileSync(file, manifest);
    await kubectl("apply", "--server-side", "-f", file);
    const objects = parseDocuments(manifest, "m.yaml")
      .documents.map(({ value }) => value)
      .filter(isKubernetesObject);
    expect(objects).toHaveLength(3);
    for (const object of objects) {
      const planned = applyCall(object, "default", resources);
      expect(sent(planned)).toEqual(planned);
    }
  });

  test.each<readonly [string, ...string[]]>([
    ["scale", "deployment", "web", "--replicas=3"],
    ["scale", "deploy/web", "--replicas=0"],
    ["get", "deployments"],
    ["get", "deploy", "web"],
    ["delete", "configmap", "odd", "--wait=false"],
    ["delete", "deploy/web", "--cascade=orphan", "--wait=false"],
    ["delete", "ns", "elsewhere", "--now", "--wait=false"],
  ])("%s %s %s", async (...words) => {
    const planned = kubectlCall(words, "default", resources);
    await kubectl(...words);
    expect(sent(planned)).toEqual(planned);
  });
});
