import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";
import { CastellanServer, kubectl } from "./castellan-server.ts";

/** A definition as Gatekeeper installs it for templates, and as it makes one for the kind of each template; the schema is left open. */
function definition(group: string, kind: string, versions: readonly string[], plural = kind.toLowerCase()): JsonObject {
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  const one = (name: string, i: number): JsonObject => ({
    name,
    served: true,
    storage: i === 0,
    schema,
    subresources: { status: {} },
  });
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: { group, scope: "Cluster", names: { kind, plural, singular: kind.toLowerCase() }, versions: versions.map(one) },
  };
}

const regoOf = (message: string): string => `package requiredlabels

violation[{"msg": msg}] {
  wanted := input.parameters.labels[_]
  not input.review.object.metadata.labels[wanted]
  msg := sprintf("${message}", [input.review.object.metadata.name, wanted])
}
`;

const template = (rego: string): JsonObject => ({
  apiVersion: "templates.gatekeeper.sh/v1",
  kind: "ConstraintTemplate",
  metadata: { name: "requiredlabels" },
  spec: {
    crd: {
      spec: {
        names: { kind: "RequiredLabels" },
        validation: {
          openAPIV3Schema: { type: "object", properties: { labels: { type: "array", items: { type: "string" } } } },
        },
      },
    },
    targets: [{ target: "admission.k8s.gatekeeper.sh", rego }],
  },
});

const constraint = (name: string, label: string, enforcementAction: string): JsonObject => ({
  apiVersion: "constraints.gatekeeper.sh/v1beta1",
  kind: "RequiredLabels",
  metadata: { name },
  spec: {
    enforcementAction,
    match: { kinds: [{ apiGroups: [""], kinds: ["ConfigMap"] }], namespaces: ["default"] },
    parameters: { labels: [label] },
  },
});

let cluster: Cluster | NotAvailable;
let directory = "";
let server: CastellanServer;
let cookie = "";
let count = 0;

async function apply(object: JsonObject): Promise<void> {
  if (!cluster.available) return;
  expect(await kubectl(cluster, ["apply", "-f", "-"], JSON.stringify(object))).toMatchObject({ code: 0 });
}

/** What somebody reads who creates a ConfigMap with these labels; each has a name of its own. */
async function create(labels: JsonObject = {}): Promise<{ readonly code: number; readonly text: string }> {
  if (!cluster.available) throw new Error(cluster.reason);
  const metadata = { name: `made-${count++}`, namespace: "default", labels };
  return kubectl(cluster, ["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata }));
}

const untilSaid = (text: string, labels?: JsonObject) => server.until(async () => (await create(labels)).text.includes(text));

interface Policy {
  readonly name: string;
  readonly mode: string;
  readonly broken: boolean;
}

async function policy(name: string): Promise<Policy | undefined> {
  const answer = await request(`${server.origin}/api/v1/policies`, { headers: { cookie } });
  const { items } = (await answer.body.json()) as { items: readonly Policy[] };
  return items.find((one) => one.name === name);
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-gatekeeper-"));
  cluster = await startCluster();
  if (!cluster.available) return;
  server = new CastellanServer(directory, ["--kubeconfig", cluster.kubeconfig]);
  await server.start();
  const login = /console:? .*?(http:\/\/\S+)/.exec(server.output)?.[1] ?? "";
  cookie = String((await request(login)).headers["set-cookie"]).split(";")[0] ?? "";
  await apply(definition("templates.gatekeeper.sh", "ConstraintTemplate", ["v1", "v1beta1"], "constrainttemplates"));
});

afterAll(async () => {
  await server?.stop();
  if (cluster.available) await cluster.stop();
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
});

const denyName = "constraints.gatekeeper.sh/RequiredLabels/needs-owner";

describe("Gatekeeper's policies in a cluster, while the server runs", () => {
  test("a template and its constraint deny with the template's message", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    await server.until(async () => (await kubectl(cluster as Cluster, ["get", "constrainttemplates"])).code === 0);
    await apply(template(regoOf("%v has no label %v")));
    await apply(definition("constraints.gatekeeper.sh", "RequiredLabels", ["v1beta1"]));
    await server.until(async () => (await kubectl(cluster as Cluster, ["get", "requiredlabels"])).code === 0);
    expect(await create()).toMatchObject({ code: 0 });
    await apply(constraint("needs-owner", "owner", "deny"));
    await untilSaid("has no label owner");
    const denied = await create();
    expect(denied.code).toBe(1);
    expect(denied.text).toMatch(/admission webhook "\S+" denied the request: .*needs-owner.*made-\d+ has no label owner/s);
    expect(await create({ owner: "ada" })).toMatchObject({ code: 0 });
    expect(await policy(denyName)).toMatchObject({ mode: "enforce", broken: false });
  });

  test("warn warns, dryrun is recorded, and neither refuses", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    await apply(constraint("wants-team", "team", "warn"));
    await untilSaid("has no label team", { owner: "ada" });
    const warned = await create({ owner: "ada" });
    expect(warned).toMatchObject({ code: 0, text: expect.stringMatching(/^Warning: .*made-\d+ has no label team/m) });
    await apply(constraint("likes-cost", "cost", "dryrun"));
    const recorded = async () => (await server.run("audit", "export", "--kind", "admission.decision", "--outcome", "audit")).text;
    await server.until(async () => {
      const made = await create({ owner: "ada", team: "nlp" });
      expect(made).toMatchObject({ code: 0, text: expect.not.stringContaining("Warning") });
      return (await recorded()).includes("has no label cost");
    });
    expect(await policy("constraints.gatekeeper.sh/RequiredLabels/wants-team")).toMatchObject({ mode: "warn" });
    expect(await policy("constraints.gatekeeper.sh/RequiredLabels/likes-cost")).toMatchObject({ mode: "audit" });
  });

  test("scoped actions count where they name the webhook", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    const base = constraint("scoped", "zone", "scoped");
    const scoped = (action: string, point: string): JsonObject => ({
      ...base,
      spec: { ...(base["spec"] as JsonObject), scopedEnforcementActions: [{ action, enforcementPoints: [{ name: point }] }] },
    });
    const good = { owner: "ada", team: "nlp", cost: "42" };
    await apply(scoped("deny", "validation.gatekeeper.sh"));
    await untilSaid("has no label zone", good);
    expect(await create(good)).toMatchObject({ code: 1 });
    await apply(scoped("deny", "audit.gatekeeper.sh"));
    await server.until(async () => (await create(good)).code === 0);
    await kubectl(cluster, ["delete", "requiredlabels", "scoped"]);
  });

  test("a template that changes is taken up as a whole; one that is broken replaces nothing, and is told", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    await apply(template(regoOf("%v still lacks %v")));
    await untilSaid("still lacks owner");
    expect((await create()).text).not.toContain("has no label");
    await apply(template("package requiredlabels\n\nviolation[{"));
    await server.until(async () => (await policy(denyName))?.broken === true);
    const denied = await create();
    expect(denied).toMatchObject({ code: 1, text: expect.stringContaining("still lacks owner") });
    expect(await create({ owner: "ada" })).toMatchObject({ code: 0 });
    expect(await server.metrics()).toMatch(/castellan_policies\{cluster="admin",state="broken"\} 3\n/);
    expect(server.output).toMatch(/ConstraintTemplate requiredlabels cannot be used/);
    await apply(template(regoOf("%v needs %v")));
    await untilSaid("needs owner");
    expect(await policy(denyName)).toMatchObject({ broken: false });
    expect(await server.metrics()).toMatch(/castellan_policies\{cluster="admin",state="broken"\} 0\n/);
  });

  test("a mutator writes what it assigns", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    await apply(definition("mutations.gatekeeper.sh", "AssignMetadata", ["v1"]));
    await server.until(async () => (await kubectl(cluster as Cluster, ["get", "assignmetadata"])).code === 0);
    await apply({
      apiVersion: "mutations.gatekeeper.sh/v1",
      kind: "AssignMetadata",
      metadata: { name: "owned" },
      spec: {
        match: { kinds: [{ apiGroups: [""], kinds: ["ConfigMap"] }], namespaces: ["default"] },
        location: "metadata.labels.owner",
        parameters: { assign: { value: "nobody" } },
      },
    });
    await server.until(async () => (await create()).code === 0);
    const owned = await kubectl(cluster, ["get", "configmap", "-l", "owner=nobody", "-o", "name"]);
    expect(owned.text).toMatch(/^configmap\/made-\d+\n$/);
    expect((await kubectl(cluster, ["delete", "assignmetadata", "owned"])).code).toBe(0);
    await untilSaid("needs owner");
  });

  test("what runs already is found; a constraint that goes takes its findings and refusals along", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    const findings = async () => {
      const answer = await request(`${server.origin}/api/v1/findings?limit=1000&policy=${encodeURIComponent(denyName)}`, {
        headers: { cookie },
      });
      const { items } = (await answer.body.json()) as { items: readonly { name: string; message: string }[] };
      return items;
    };
    await server.until(async () => (await findings()).some(({ message }) => message === "made-0 needs owner"));
    await kubectl(cluster, ["delete", "requiredlabels", "needs-owner"]);
    await server.until(async () => (await create()).code === 0);
    await server.until(async () => (await findings()).length === 0);
    expect(await policy(denyName)).toBeUndefined();
  });
});
