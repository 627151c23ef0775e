import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, request } from "undici";
import { afterAll, describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { loadKubernetesSchemas } from "../../src/adapters/files/catalog.ts";
import { lint } from "../../src/analysis/resources/lint.ts";
import type { Finding } from "../../src/core/finding.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member, valueAt } from "../../src/core/json.ts";
import { gvkOf, isKubernetesObject, type KubernetesObject, namespaceOf } from "../../src/core/kubernetes.ts";
import { startCluster } from "../cluster/start.ts";

/** What the linter says the API server does, tried on a real one. */

const schemas = loadKubernetesSchemas();
const cluster = await startCluster({ controllerManager: true });
const agent = cluster.available ? new Agent({ connect: { ca: cluster.authority }, connections: 8, allowH2: false }) : undefined;

afterAll(async () => {
  await agent?.close();
  if (cluster.available) await cluster.stop();
});

interface Answer {
  readonly status: number;
  readonly body: JsonValue;
  readonly message: string;
  readonly warning: string;
}

async function send(method: "GET" | "POST" | "DELETE", path: string, body?: JsonValue): Promise<Answer> {
  if (!cluster.available || agent === undefined) throw new Error("no cluster");
  const response = await request(cluster.server + path, {
    method,
    dispatcher: agent,
    headers: { authorization: `Bearer ${cluster.token("admin")}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const parsed: JsonValue = JSON.parse(await response.body.text());
  const message = member(parsed, "message");
  return {
    status: response.statusCode,
    body: parsed,
    message: typeof message === "string" ? message : "",
    warning: String(response.headers["warning"] ?? ""),
  };
}

function collection(object: KubernetesObject): string | undefined {
  const gvk = gvkOf(object);
  const resource = schemas
    .resources()
    .all()
    .find((r) => r.group === gvk.group && r.version === gvk.version && r.kind === gvk.kind);
  if (resource === undefined) return undefined;
  const root = gvk.group === "" ? `/api/${gvk.version}` : `/apis/${gvk.group}/${gvk.version}`;
  return resource.namespaced ? `${root}/namespaces/default/${resource.resource}` : `${root}/${resource.resource}`;
}

/** In the namespace that exists. */
function placed(object: KubernetesObject): KubernetesObject {
  return namespaceOf(object) === "" ? object : { ...object, metadata: { ...object.metadata, namespace: "default" } };
}

async function create(object: KubernetesObject, validation: "Ignore" | "Warn" | "Strict"): Promise<Answer | undefined> {
  const path = collection(object);
  return path === undefined ? undefined : send("POST", `${path}?dryRun=All&fieldValidation=${validation}`, placed(object));
}

function lintOne(object: JsonValue): readonly Finding[] {
  const nowhere = () => undefined;
  return lint({ documents: [{ file: "object.yaml", index: 0, value: object, locate: nowhere, locateKey: nowhere }], schemas });
}

function verdicts(findings: readonly Finding[]): readonly JsonValue[] {
  return findings.flatMap((finding) => finding.evidence?.["apiServer"] ?? []);
}

function readObjects(text: string): readonly KubernetesObject[] {
  return parseAllDocuments(text).map((document) => {
    const value: JsonValue = document.toJS();
    if (!isKubernetesObject(value)) throw new Error("not an object");
    return value;
  });
}

/** A document of every kind that people write, with most of its required fields and enumerations. */
const samples = readObjects(readFileSync(join(import.meta.dirname, "linter-objects.yaml"), "utf8"));

describe.skipIf(!cluster.available)("the linter and kube-apiserver", () => {
  test.each(samples.map((object) => [object.kind, object] as const))("a valid %s", async (_, object) => {
    expect(verdicts(lintOne(object))).toEqual([]);
    expect(await create(object, "Strict")).toMatchObject({ status: 201 });
  });

  test("no change of a valid object is called refused that the API server accepts", async () => {
    const mutants = samples.flatMap(mutate);
    // Every change would be 15,000; the step is prime to the number of kinds of changes.
    const chosen = mutants.filter((_, i) => i % 17 === 0);
    const wrong: string[] = [];
    let refused = 0;
    let found = 0;
    await inParallel(chosen, async ({ object, change }) => {
      if (!isKubernetesObject(object)) return;
      const findings = lintOne(object).filter((f) => f.evidence?.["apiServer"] === "refuses-object");
      const answer = await create(object, "Ignore").catch(() => undefined);
      if (answer === undefined) return;
      if (answer.status !== 201) refused++;
      if (answer.status !== 201 && findings.length > 0) found++;
      if (answer.status === 201 && findings.length > 0)
        wrong.push(`${object.kind} ${change}: ${findings.map((f) => f.message).join(" ")}`);
    });
    expect(wrong).toEqual([]);
    expect(refused).toBeGreaterThan(500);
    expect(found / refused).toBeGreaterThan(0.85);
  });

  test.each(caseFiles())("every object of %s", async (_, objects) => {
    const disagreements: string[] = [];
    await inParallel(objects, async (object) => {
      const findings = lintOne(object);
      const said = verdicts(findings);
      const loose = await create(object, "Warn");
      const strict = await create(object, "Strict");
      if (loose === undefined || strict === undefined || loose.status === 409) return;
      if (findings.some((f) => f.check.rule === "off-by-default")) {
        expect(loose.status).toBe(404);
        return;
      }
      const expected = said.includes("refuses-object") ? "refused" : said.includes("drops-field") ? "dropped" : "accepted";
      const happened = loose.status !== 201 ? "refused" : strict.status !== 201 ? "dropped" : "accepted";
      if (expected !== happened) disagreements.push(`${JSON.stringify(object)}: ${expected}, but ${happened}: ${loose.message}`);
      if (happened === "dropped") expect(loose.warning).toContain("unknown field");
    });
    expect(disagreements).toEqual([]);
  });

  test("a maximum without a default is what every container gets", async () => {
    const namespace = await ownNamespace("limits");
    const limits = { type: "Container", max: { "nvidia.com/gpu": "4", memory: "8Gi" }, min: { memory: "100Mi" } };
    await expectCreated(`/api/v1/namespaces/${namespace}/limitranges`, {
      apiVersion: "v1",
      kind: "LimitRange",
      metadata: { name: "limits" },
      spec: { limits: [limits] },
    });
    const pods = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
    // The plugin reads limit ranges from a cache that is a moment behind.
    await eventually(async () => {
      const pod = await send(
        "POST",
        pods,
        podWith([
          { name: "a", image: "i" },
          { name: "sidecar", image: "i" },
        ]),
      );
      const given = { requests: { "nvidia.com/gpu": "4", memory: "8Gi" }, limits: { "nvidia.com/gpu": "4", memory: "8Gi" } };
      expect(valueAt(pod.body, ["spec", "containers", 0, "resources"])).toEqual(given);
      expect(valueAt(pod.body, ["spec", "containers", 1, "resources"])).toEqual(given);
    });
  });

  test("a maximum of type Pod refuses pods that set no limit", async () => {
    const namespace = await ownNamespace("pod-limits");
    await expectCreated(`/api/v1/namespaces/${namespace}/limitranges`, {
      apiVersion: "v1",
      kind: "LimitRange",
      metadata: { name: "limits" },
      spec: { limits: [{ type: "Pod", max: { "nvidia.com/gpu": "4" } }] },
    });
    await eventually(async () => {
      const pod = await send("POST", `/api/v1/namespaces/${namespace}/pods?dryRun=All`, podWith([{ name: "a", image: "i" }]));
      expect(pod.status).toBe(403);
      expect(pod.message).toContain("No limit is specified");
    });
  });

  test("quota keys that are stored and count nothing", async () => {
    const namespace = await ownNamespace("quota");
    const hard = { "nvidia.com/gpu": "0", "limits.nvidia.com/gpu": "0", "count/deployments.extensions": "0", pods: "5" };
    await expectCreated(`/api/v1/namespaces/${namespace}/resourcequotas`, quota("uncounted", { hard }));
    await quotaReady(namespace, "uncounted");
    const gpuPod = podWith([{ name: "a", image: "i", resources: { limits: { "nvidia.com/gpu": "8" } } }]);
    expect(await send("POST", `/api/v1/namespaces/${namespace}/pods?dryRun=All`, gpuPod)).toMatchObject({ status: 201 });
    await expectCreated(
      `/api/v1/namespaces/${namespace}/resourcequotas`,
      quota("counted", { hard: { "requests.nvidia.com/gpu": "0" } }),
    );
    await quotaReady(namespace, "counted");
    await eventually(async () => {
      const stopped = await send("POST", `/api/v1/namespaces/${namespace}/pods?dryRun=All`, gpuPod);
      expect(stopped.status).toBe(403);
      expect(stopped.message).toContain("exceeded quota: counted");
    });
  });

  test("pods outside the scope of a quota escape it", async () => {
    const namespace = await ownNamespace("scope");
    const scopeSelector = {
      matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: ["default", "high-priority"] }],
    };
    await expectCreated(
      `/api/v1/namespaces/${namespace}/resourcequotas`,
      quota("scoped", { hard: { pods: "0" }, scopeSelector }),
    );
    await quotaReady(namespace, "scoped");
    const pod = podWith([{ name: "a", image: "i" }]);
    expect(await send("POST", `/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod)).toMatchObject({ status: 201 });
  });

  test("rules for resources that do not exist grant nothing", async () => {
    const namespace = await ownNamespace("rbac");
    const group = "rbac.authorization.k8s.io";
    await expectCreated(`/apis/${group}/v1/namespaces/${namespace}/roles`, {
      apiVersion: `${group}/v1`,
      kind: "Role",
      metadata: { name: "r" },
      rules: [
        { apiGroups: [""], resources: ["pods/logs", "pods/*"], verbs: ["get", "create"] },
        { apiGroups: [""], resources: ["configmaps"], resourceNames: ["a"], verbs: ["create", "get"] },
        { apiGroups: [""], resources: ["secrets"], resourceNames: ["*"], verbs: ["get"] },
        { apiGroups: [""], resources: ["deployments", "nodes"], verbs: ["get"] },
      ],
    });
    await expectCreated(`/apis/${group}/v1/namespaces/${namespace}/rolebindings`, {
      apiVersion: `${group}/v1`,
      kind: "RoleBinding",
      metadata: { name: "r" },
      roleRef: { apiGroup: group, kind: "Role", name: "r" },
      subjects: [{ apiGroup: group, kind: "User", name: "bob" }],
    });
    const allowed = async (attributes: JsonObject) => {
      const review = await send("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        spec: { user: "bob", resourceAttributes: { namespace, ...attributes } },
      });
      return valueAt(review.body, ["status", "allowed"]);
    };
    await eventually(async () => expect(await allowed({ verb: "get", resource: "configmaps", name: "a" })).toBe(true));
    expect(await allowed({ verb: "get", resource: "pods", subresource: "log", name: "p" })).toBe(false);
    expect(await allowed({ verb: "create", resource: "pods", subresource: "exec", name: "p" })).toBe(false);
    expect(await allowed({ verb: "create", resource: "configmaps" })).toBe(false);
    expect(await allowed({ verb: "get", resource: "secrets", name: "s" })).toBe(false);
    expect(await allowed({ verb: "get", group: "apps", resource: "deployments", name: "d" })).toBe(false);
    expect(await allowed({ verb: "get", resource: "nodes", name: "n", namespace: "" })).toBe(false);
  });
});

describe.skipIf(!cluster.available)("the linter and kube-apiserver's audit policy", () => {
  const read = (path: string) => readFileSync(join(import.meta.dirname, "../..", path), "utf8");

  test.each([
    ["fields that do not exist are ignored", read("examples/ai-platform/as-written/audit/policy.yaml"), true],
    ["a level that does not exist", "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: metadata}]\n", false],
    ["no rules", "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: []\n", false],
    [
      "a stage that does not exist",
      "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [Received]\nrules: [{level: None}]\n",
      false,
    ],
    [
      "a group with its version",
      "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None, resources: [{group: apps/v1}]}]\n",
      false,
    ],
  ])("%s", async (_, text, starts) => {
    const directory = await mkdtemp(join(tmpdir(), "castellan-audit-"));
    const file = join(directory, "policy.yaml");
    await writeFile(file, text);
    const said = lintOne(parse(text)).map((f) => f.check.rule);
    expect(said.includes("rejected")).toBe(!starts);
    const flags = [`--audit-policy-file=${file}`, `--audit-log-path=${join(directory, "audit.log")}`];
    try {
      const started = await startCluster({ apiServerFlags: flags }).then(
        async (audited) => {
          if (audited.available) await audited.stop();
          return true;
        },
        () => false,
      );
      expect(started).toBe(starts);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

/** The cases of the linter's own tests, but for those that are not for an API server. */
function caseFiles(): readonly (readonly [string, readonly KubernetesObject[]])[] {
  const folder = join(import.meta.dirname, "../../src/analysis/resources");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".cases.yaml"));
  return files
    .filter((file) => !file.startsWith("audit/") && !file.startsWith("partial"))
    .map((file) => {
      const cases: JsonValue = parse(readFileSync(join(folder, file), "utf8"));
      const objects = (isArray(cases) ? cases : []).flatMap((entry) => {
        const list = member(entry, "objects");
        return isArray(list) && member(entry, "untried") !== true ? list.filter((o) => isKubernetesObject(o)) : [];
      });
      return [file, objects] as const;
    });
}

const replacements: readonly (JsonValue | undefined)[] = [
  undefined,
  null,
  "bogus",
  "",
  7,
  -7,
  1.5,
  true,
  [],
  {},
  ["x"],
  { x: "y" },
  "7",
  "1Gi",
];

interface Mutant {
  readonly object: JsonValue;
  readonly change: string;
}

/** Every field of an object removed, and replaced with every kind of value. */
function mutate(object: KubernetesObject): readonly Mutant[] {
  const mutants: Mutant[] = [];
  const visit = (value: JsonValue | undefined, path: readonly (string | number)[]): void => {
    const own = path.length === 1 && (path[0] === "kind" || path[0] === "apiVersion");
    if (path.length > 0 && !own) {
      for (const replacement of replacements) {
        mutants.push({
          object: replaced(object, path, replacement),
          change: `${path.join(".")} = ${JSON.stringify(replacement)}`,
        });
      }
    }
    if (isArray(value)) for (const [i, item] of value.entries()) visit(item, [...path, i]);
    else if (isObject(value)) for (const key of Object.keys(value)) visit(value[key], [...path, key]);
  };
  visit(object, []);
  return mutants;
}

function replaced(value: JsonValue, path: readonly (string | number)[], replacement: JsonValue | undefined): JsonValue {
  const [step, ...rest] = path;
  if (isArray(value) && typeof step === "number") {
    if (rest.length === 0) return replacement === undefined ? value.toSpliced(step, 1) : value.with(step, replacement);
    return value.with(step, replaced(value[step] ?? null, rest, replacement));
  }
  if (!isObject(value) || typeof step !== "string") return value;
  return { ...value, [step]: rest.length === 0 ? replacement : replaced(value[step] ?? null, rest, replacement) };
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

async function ownNamespace(prefix: string): Promise<string> {
  const metadata = { generateName: `${prefix}-` };
  const created = await expectCreated("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata });
  const name = asString(valueAt(created.body, ["metadata", "name"])) ?? "";
  // The controller manager makes it; the ServiceAccount plugin wants it.
  await eventually(async () =>
    expect(await send("GET", `/api/v1/namespaces/${name}/serviceaccounts/default`)).toMatchObject({ status: 200 }),
  );
  return name;
}

async function expectCreated(path: string, object: JsonObject): Promise<Awaited<ReturnType<typeof send>>> {
  const created = await send("POST", path, object);
  expect(created).toMatchObject({ status: 201 });
  return created;
}

function quota(name: string, spec: JsonObject): JsonObject {
  return { apiVersion: "v1", kind: "ResourceQuota", metadata: { name }, spec };
}

async function quotaReady(namespace: string, name: string): Promise<void> {
  await eventually(async () => {
    const current = await send("GET", `/api/v1/namespaces/${namespace}/resourcequotas/${name}`);
    expect(valueAt(current.body, ["status", "hard"])).toBeDefined();
  });
}

function podWith(containers: JsonValue): JsonObject {
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: { containers } };
}

/** Caches of the API server and the controllers are a moment behind. */
async function eventually(check: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await check();
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}
