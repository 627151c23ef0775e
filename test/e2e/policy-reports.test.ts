import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";
import { CastellanServer, kubectl } from "./castellan-server.ts";

const run = promisify(execFile);

const text = { type: "string" } as const;
const integer = { type: "integer" } as const;
const fields = (properties: JsonObject, required: readonly string[] = []): JsonObject => ({
  type: "object",
  properties,
  required,
});
const reference = fields({
  apiVersion: text,
  kind: text,
  name: text,
  namespace: text,
  uid: text,
  resourceVersion: text,
  fieldPath: text,
});

/**
 * What the definitions of both groups declare (wgpolicyk8s.io/v1alpha2 of wg-policy-prototypes and of Kyverno's chart, openreports.io/v1alpha1 of
 * reports-api): server-side apply refuses all else.
 */
const declared = (more: JsonObject): JsonObject => ({
  openAPIV3Schema: fields({
    ...more,
    scope: reference,
    summary: fields({ pass: integer, fail: integer, warn: integer, error: integer, skip: integer }),
    results: {
      type: "array",
      items: fields(
        {
          policy: text,
          rule: text,
          message: text,
          category: text,
          source: text,
          scored: { type: "boolean" },
          result: { type: "string", enum: ["pass", "fail", "warn", "error", "skip"] },
          severity: { type: "string", enum: ["critical", "high", "low", "medium", "info"] },
          properties: { type: "object", additionalProperties: text },
          resources: { type: "array", items: reference },
          timestamp: fields({ seconds: { ...integer, format: "int64" }, nanos: { ...integer, format: "int32" } }, [
            "nanos",
            "seconds",
          ]),
        },
        ["policy"],
      ),
    },
  }),
});

function definitions(group: string, version: string, kinds: readonly [string, string], more: JsonObject): readonly JsonObject[] {
  return kinds.map((kind, i) => ({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${kind.toLowerCase()}s.${group}` },
    spec: {
      group,
      scope: i === 0 ? "Namespaced" : "Cluster",
      names: { kind, plural: `${kind.toLowerCase()}s`, singular: kind.toLowerCase() },
      versions: [{ name: version, served: true, storage: true, schema: declared(more) }],
    },
  }));
}

const openReports = definitions("openreports.io", "v1alpha1", ["Report", "ClusterReport"], { source: text });
const policyReports = definitions("wgpolicyk8s.io", "v1alpha2", ["PolicyReport", "ClusterPolicyReport"], {});

/** Namespaces have no namespace: what is wrong with them is in reports of the cluster. */
const policies = `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: teams, annotations: {policies.kyverno.io/category: Ownership, policies.kyverno.io/severity: low}}
spec:
  rules:
    - name: label
      match: {any: [{resources: {kinds: [Namespace]}}]}
      validate: {failureAction: Audit, message: "label team is required", pattern: {metadata: {labels: {team: "?*"}}}}
`;

const privileged = (name: string, namespace: string): JsonObject => {
  const container = (own: string) => ({ name: own, image: "busybox:latest", securityContext: { privileged: true } });
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace },
    spec: { containers: [container("one"), container("two")] },
  };
};

interface Result {
  readonly source: string;
  readonly policy: string;
  readonly rule: string;
  readonly result: string;
  readonly severity: string;
  readonly category?: string;
  readonly message: string;
  readonly timestamp: { readonly seconds: number; readonly nanos: number };
  readonly properties: { readonly [name: string]: string };
}

interface Report {
  readonly source?: string;
  readonly metadata: { readonly namespace?: string; readonly labels: object };
  readonly scope: { readonly apiVersion: string; readonly kind: string; readonly name: string; readonly namespace?: string };
  readonly summary: { readonly [result: string]: number };
  readonly results: readonly Result[];
}

let cluster: Cluster | NotAvailable;
let directory = "";
let server: CastellanServer;

async function apply(...objects: readonly JsonObject[]): Promise<void> {
  if (!cluster.available) return;
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  expect(await kubectl(cluster, ["apply", "-f", "-"], list)).toMatchObject({ code: 0 });
}

async function reports(kind: string): Promise<readonly Report[]> {
  if (!cluster.available) return [];
  const { code, text: answer } = await kubectl(cluster, ["get", kind, "-A", "-o", "json"]);
  return code === 0 ? JSON.parse(answer).items : [];
}

/** A command line of the guide, as somebody types it. */
async function shell(line: string): Promise<string> {
  if (!cluster.available) return "";
  const path = `${join(cluster.kubectl, "..")}:${process.env["PATH"]}`;
  const { stdout } = await run("sh", ["-c", line], { env: { ...process.env, PATH: path, KUBECONFIG: cluster.kubeconfig } });
  return stdout;
}

const hasJq = await run("jq", ["--version"]).then(
  () => true,
  () => false,
);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-policy-reports-"));
  await writeFile(join(directory, "policies.yaml"), policies);
  cluster = await startCluster();
  if (!cluster.available) return;
  await kubectl(cluster, ["create", "namespace", "nlp"]);
  await apply(privileged("web", "default"), privileged("web", "nlp"));
  server = new CastellanServer(join(directory, "data"), [
    "--kubeconfig",
    cluster.kubeconfig,
    "--policies",
    join(directory, "policies.yaml"),
  ]);
  await server.start();
});

afterAll(async () => {
  await server?.stop();
  if (cluster.available) await cluster.stop();
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
});

/** What Policy Reporter reads of a report: each is shown by its scope, results by their id, source, category and severity. */
function expectReadable(all: readonly Report[], now: number): void {
  const results = all.flatMap((report) => report.results);
  expect(new Set(results.map(({ properties }) => properties["resultID"])).size).toBe(results.length);
  for (const { metadata, scope, summary, results: own } of all) {
    expect(metadata.labels).toMatchObject({ "app.kubernetes.io/managed-by": "castellan" });
    expect(scope.namespace).toBe(metadata.namespace);
    expect([scope.apiVersion, scope.kind, scope.name].every((part) => part !== "")).toBe(true);
    expect(own.length).toBeGreaterThan(0);
    for (const status of ["pass", "fail", "warn", "error", "skip"])
      expect(summary[status]).toBe(own.filter(({ result }) => result === status).length);
    for (const { source, policy, rule, message, timestamp } of own) {
      expect(source).toBe("castellan");
      expect([policy, rule, message].every((part) => part !== "")).toBe(true);
      expect(Math.abs(now - timestamp.seconds * 1000)).toBeLessThan(600_000);
      expect(timestamp.nanos).toBeLessThan(1_000_000_000);
    }
  }
}

describe("reports in a cluster", () => {
  test("openreports.io, where nothing else is served", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    await apply(...openReports);
    await server.until(async () => (await reports("reports")).length >= 2 && (await reports("clusterreports")).length >= 2);
    const all = [...(await reports("reports")), ...(await reports("clusterreports"))];
    expect(new Set(all.map(({ source }) => source))).toEqual(new Set(["castellan"]));
    expectReadable(all, Date.now());
  });

  test("wgpolicyk8s.io, where it is served: there alone, or who reads both would count twice", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    await apply(...policyReports);
    await server.until(async () => (await reports("policyreports")).length >= 2 && (await reports("reports")).length === 0);
    await server.until(async () => (await reports("clusterreports")).length === 0);
    const [namespaced, ofCluster] = [await reports("policyreports"), await reports("clusterpolicyreports")];
    expectReadable([...namespaced, ...ofCluster], Date.now());
    const pods = namespaced.filter(({ scope }) => scope.name === "web");
    expect(pods.map(({ scope }) => scope.namespace).toSorted()).toEqual(["default", "nlp"]);
    const [nlp] = ofCluster.filter(({ scope }) => scope.name === "nlp");
    const result = {
      policy: "kyverno.io/ClusterPolicy/teams",
      rule: "label",
      result: "fail",
      severity: "low",
      category: "Ownership",
    };
    expect(nlp?.results).toContainEqual(expect.objectContaining(result));
    expect(server.output).not.toContain("field not declared");
  });

  test.skipIf(!hasJq)("jq reads them as they are, and results are a list everywhere", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    expect(JSON.parse(await shell("kubectl get clusterpolicyreport -o json | jq")).items.length).toBeGreaterThan(1);
    const policiesOf = (kind: string) => shell(`kubectl get ${kind} -A -o json | jq -r '.items[].results[].policy' | sort -u`);
    expect(await policiesOf("clusterpolicyreport")).toContain("kyverno.io/ClusterPolicy/teams");
    expect(await policiesOf("policyreport")).toContain("pod-security/baseline");
    expect(await shell("kubectl get clusterpolicyreport -o json | jq '[.items[] | select(.results == null)] | length'")).toBe(
      "0\n",
    );
  });
});
