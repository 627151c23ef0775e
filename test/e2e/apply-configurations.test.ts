import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { afterAll, describe, expect, test } from "vitest";
import { isObject, type JsonObject, type JsonValue, member } from "../../src/core/json.ts";
import { isKubernetesObject, type KubernetesObject } from "../../src/core/kubernetes.ts";
import { kubernetesSchemas } from "../../src/core/schema.ts";
import type { SourceDocument } from "../../src/core/source.ts";
import { evaluate, PolicySet } from "../../src/engine/index.ts";
import { mutatingAdmissionPolicyFormat } from "../../src/policies/admission-policy/mutating-admission-policy.ts";
import { startCluster } from "../cluster/start.ts";
import { ApiServer, until } from "./api-server.ts";

const cluster = await startCluster();
const deployments = "/apis/apps/v1/namespaces/default/deployments?dryRun=All";
const policiesPath = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies";
const bindingsPath = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings";
const read = (path: string) => readFileSync(join(import.meta.dirname, path), "utf8");
const resources = kubernetesSchemas(JSON.parse(read("../../catalog/kubernetes/v1.36.json"))).resources();

const cases = load(read("apply-configurations.yaml")) as readonly { readonly name: string; readonly expression: string }[];

const labels = (name: string) => ({ app: "shop", case: name });

function deployment(name: string): JsonObject {
  const container = (of: string) => ({
    name: of,
    image: `${of}:1`,
    env: [
      { name: "A", value: "1" },
      { name: "B", value: "2" },
    ],
    ports: [{ containerPort: 8080, name: "http" }],
    resources: { limits: { cpu: "100m" } },
    securityContext: { runAsNonRoot: true },
    volumeMounts: [{ name: "data", mountPath: "/data" }],
  });
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "shop", namespace: "default", labels: labels(name) },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: "shop" } },
      template: {
        metadata: { labels: { app: "shop" } },
        spec: {
          containers: ["web", "proxy"].map(container),
          imagePullSecrets: [{ name: "first" }],
          hostAliases: [{ ip: "10.0.0.1", hostnames: ["a.example"] }],
          volumes: [{ name: "data", emptyDir: {} }],
        },
      },
    },
  };
}

const group = "admissionregistration.k8s.io/v1";

function policy({ name, expression }: (typeof cases)[number]): JsonObject {
  const resourceRules = [{ apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["deployments"] }];
  const mutation = {
    patchType: "ApplyConfiguration",
    applyConfiguration: { expression: expression.replaceAll(/\bT\b(?=[.{])/g, "Object.spec.template.spec") },
  };
  return {
    apiVersion: group,
    kind: "MutatingAdmissionPolicy",
    metadata: { name },
    spec: {
      matchConstraints: { resourceRules, objectSelector: { matchLabels: { case: name } } },
      failurePolicy: "Fail",
      reinvocationPolicy: "Never",
      mutations: [mutation],
    },
  };
}

const binding = (name: string): JsonObject => ({
  apiVersion: group,
  kind: "MutatingAdmissionPolicyBinding",
  metadata: { name },
  spec: { policyName: name },
});

function document(value: JsonObject): SourceDocument<KubernetesObject> {
  if (!isKubernetesObject(value)) throw new Error("no object");
  return { file: "-", index: 0, value, locate: () => undefined, locateKey: () => undefined };
}

type Outcome = { readonly object: JsonObject } | { readonly error: string };

function ours(one: (typeof cases)[number], object: JsonObject): Outcome {
  const compiled = mutatingAdmissionPolicyFormat.compile(document(policy(one)), {
    resources,
    bindings: [document(binding(one.name))],
  });
  if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message);
  const target = { type: "kubernetes", group: "apps", version: "v1", kind: "Deployment", resource: "deployments" } as const;
  const evaluation = evaluate(
    new PolicySet([compiled.value]),
    {
      channel: "admission",
      actor: { user: "admin", groups: [] },
      operation: "CREATE",
      dryRun: true,
      target: { ...target, subresource: "", namespace: "default", name: "shop" },
      object: document(object).value,
      at: 0,
    },
    { get: () => ({ ok: false, message: "not known" }) },
    { now: () => 0, random: () => 0 },
    { resources },
  );
  if (evaluation.kind === "pending") throw new Error("the facts answer every need");
  const { decision } = evaluation;
  const told = decision.results.find(({ result }) => result.status === "error");
  if (told !== undefined) return { error: told.result.message };
  return { object: decision.object ?? {} };
}

/** What was asked for, without what the server keeps for itself. */
function asSent(object: JsonObject, name: string): JsonObject {
  const metadata = isObject(object["metadata"]) ? object["metadata"] : {};
  const annotations = metadata["annotations"] === undefined ? {} : { annotations: metadata["annotations"] };
  const kept = { name: "shop", namespace: "default", labels: labels(name), ...annotations };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: kept, spec: object["spec"] };
}

const comparable = (object: JsonObject): JsonValue => [member(object["metadata"], "annotations") ?? null, object["spec"] ?? null];

describe.skipIf(!cluster.available)("applied configurations and a real API server", () => {
  const server = cluster.available ? new ApiServer(cluster) : undefined;
  afterAll(async () => {
    server?.close();
    if (cluster.available) await cluster.stop();
  });

  test("merge alike, and are refused in the same words", async () => {
    if (server === undefined) throw new Error("no cluster");
    await until(
      () => server.send("GET", "/api/v1/namespaces/default"),
      ({ status }) => status === 200,
    );
    const ready = { name: "ready", expression: "Object{spec: Object.spec{replicas: 7}}" };
    for (const one of [...cases, ready]) {
      expect(member((await server.create(policiesPath, policy(one))).body, "message") ?? "", one.name).toBe("");
      await server.create(bindingsPath, binding(one.name));
    }
    await until(
      () => server.create(deployments, deployment("ready")),
      ({ body }) => member(body["spec"], "replicas") === 7,
    );
    const { body: defaulted } = await server.create(deployments, deployment("none"));
    const differences: string[] = [];
    for (const one of cases) {
      const answer = await server.create(deployments, deployment(one.name));
      const own = ours(one, asSent(defaulted, one.name));
      const theirs =
        answer.status === 201
          ? JSON.stringify(comparable(answer.body))
          : String(answer.body["message"]).replace(/^.*?denied request: /s, "");
      // What a policy adds has its defaults from the server.
      const sent = "object" in own ? await server.create(deployments, asSent(own.object, "none")) : undefined;
      const made =
        "error" in own ? own.error : sent?.status === 201 ? JSON.stringify(comparable(sent.body)) : String(sent?.body["message"]);
      if (inOrder(made) !== inOrder(theirs)) differences.push(`${one.name}\n  theirs: ${theirs}\n  ours:   ${made}`);
    }
    expect(differences.join("\n")).toBe("");
  });
});

/** The API server names places in the order of a Go map: another one each time. */
function inOrder(message: string): string {
  const [, said, places] = /^(.*may not mutate atomic arrays, maps or structs: )(.*)$/.exec(message) ?? [];
  return places === undefined ? message : `${said}${places.split(", ").sort().join(", ")}`;
}
