import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { deployed, helmPath, withoutHelm } from "../chart.ts";
import { account, type RightsQuestion, rightsOfVariants } from "../chart-rights.ts";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";
import { ApiServer } from "./api-server.ts";
import { kubectl } from "./castellan-server.ts";
import { certManager } from "./cert-manager.ts";

const run = promisify(execFile);
let cluster: Cluster | NotAvailable;
let directory = "";

function running(): Cluster {
  if (!cluster.available) throw new Error(cluster.reason);
  return cluster;
}

/** `helm upgrade --install` with an account of helm's own in `directory`. */
async function install({ kubeconfig }: Cluster, values: readonly string[]): Promise<void> {
  const chart = ["upgrade", "--install", "castellan", join(directory, "chart"), "-n", "castellan", "--create-namespace"];
  const home = { HELM_CACHE_HOME: directory, HELM_CONFIG_HOME: directory, HELM_DATA_HOME: directory };
  await run(helmPath(), [...chart, "--kubeconfig", kubeconfig, ...values], { env: { ...process.env, ...home } });
}

async function mayFor(api: ApiServer, { verb, group, resource, subresource, name, namespace }: RightsQuestion): Promise<unknown> {
  const resourceAttributes = {
    verb,
    group,
    resource,
    subresource: subresource ?? "",
    name: name ?? "",
    namespace: namespace ?? "",
  };
  const groups = ["system:serviceaccounts", "system:serviceaccounts:castellan", "system:authenticated"];
  const review: JsonObject = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: { user: account, groups, resourceAttributes },
  };
  const { body } = await api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", review);
  return Object(body["status"]).allowed;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-chart-"));
  await cp(join(deployed, "helm/castellan"), join(directory, "chart"), { recursive: true });
  const about = join(directory, "chart/Chart.yaml");
  // The API server that `go build` makes does not know its version.
  await writeFile(about, (await readFile(about, "utf8")).replace(/^kubeVersion: .*$/m, ""));
  cluster = await startCluster();
  if (!cluster.available) return;
  for (const definition of certManager) await kubectl(cluster, ["apply", "-f", "-"], JSON.stringify(definition));
  const established = certManager.map(({ metadata }) => `crd/${metadata.name}`);
  await kubectl(cluster, ["wait", "--for=condition=Established", ...established]);
});
afterAll(async () => {
  if (cluster.available) await cluster.stop();
  await rm(directory, { recursive: true, force: true });
});

describe.skipIf(withoutHelm !== undefined)("the chart on a real API server", () => {
  test.for(rightsOfVariants)(
    "our account may what our own engine says: $title",
    async ({ values, allowed, denied }, { skip }) => {
      if (!cluster.available) skip(cluster.reason);
      await install(running(), values);
      const api = new ApiServer(running());
      try {
        for (const question of allowed) expect([question, await mayFor(api, question)]).toEqual([question, true]);
        for (const question of denied) expect([question, await mayFor(api, question)]).toEqual([question, false]);
      } finally {
        api.close();
      }
    },
  );

  test("an ingress is taken, with the Service that it leads to", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const console = 'networkPolicy.console.from=[{"namespaceSelector":{}}]';
    await install(running(), [
      "--set",
      "ingress.enabled=true,ingress.host=castellan.example.com,ingress.tlsSecret=tls",
      "--set-json",
      console,
    ]);
    const read = async (...query: readonly string[]) =>
      JSON.parse((await kubectl(running(), ["get", ...query, "-n", "castellan", "-o", "json"])).text);
    const { spec } = await read("ingress", "castellan");
    expect(spec.tls).toEqual([{ hosts: ["castellan.example.com"], secretName: "tls" }]);
    const { service } = spec.rules[0].http.paths[0].backend;
    const { ports } = (await read("service", service.name)).spec;
    expect(ports.map(({ name }: { name: string }) => name)).toContain(service.port.name);
  });
});

/** As the server fills in what its policies need, and says that it holds them. */
const filledIn = [
  { op: "add", path: "/metadata/annotations", value: { "castellan.dev/held-by": "somebody" } },
  {
    op: "add",
    path: "/webhooks",
    value: [
      {
        name: "deny.castellan.dev",
        clientConfig: { url: "https://127.0.0.1:1/validate" },
        rules: [{ apiGroups: ["nothing.example.com"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["nothings"] }],
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
      },
    ],
  },
];

test.for([
  { way: "helm upgrade", apply: (on: Cluster) => install(on, ["--set", "events=true"]), needsHelm: true },
  {
    way: "kubectl apply of the plain manifests",
    apply: (on: Cluster) => kubectl(on, ["apply", "-f", join(deployed, "castellan.yaml")]),
    needsHelm: false,
  },
])("webhooks that a server filled in stay through $way", async ({ apply, needsHelm }, { skip }) => {
  if (!cluster.available) skip(cluster.reason);
  if (needsHelm && withoutHelm !== undefined) skip(withoutHelm);
  await apply(running());
  const configuration = ["validatingwebhookconfiguration", "castellan"];
  await kubectl(running(), ["patch", ...configuration, "--type=json", "-p", JSON.stringify(filledIn)]);
  await apply(running());
  const { text } = await kubectl(running(), ["get", ...configuration, "-o", "json"]);
  const { webhooks, metadata } = JSON.parse(text);
  expect(webhooks.map(({ name }: { name: string }) => name)).toEqual(["deny.castellan.dev"]);
  expect(metadata.annotations["castellan.dev/held-by"]).toBe("somebody");
});
