import fc from "fast-check";
import { load } from "js-yaml";
import { afterAll, describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../../src/adapters/files/catalog.ts";
import { isObject, type JsonObject } from "../../src/core/json.ts";
import { isKubernetesObject, type KubernetesObject } from "../../src/core/kubernetes.ts";
import type { SourceDocument } from "../../src/core/source.ts";
import { evaluate } from "../../src/engine/index.ts";
import { compilePolicies } from "../../src/services/policies.ts";
import { startCluster } from "../cluster/start.ts";
import { ApiServer, until } from "./api-server.ts";

const cluster = await startCluster();
const count = 200;
const admission = "/apis/admissionregistration.k8s.io/v1";
const deployments = "/apis/apps/v1/namespaces/default/deployments?dryRun=All";

/** As a platform writes them; each fails for some of the objects. */
const policyTexts = [
  `
name: replicas-and-owner
variables:
  - {name: team, expression: "object.metadata.?labels.team.orValue('')"}
validations:
  - {expression: "object.spec.replicas <= 5", messageExpression: "'replicas ' + string(object.spec.replicas) + ' of ' + variables.team"}
  - {expression: "variables.team.matches('^[a-z]+$')", message: team label}
`,
  `
name: images
matchConditions:
  - {name: not-exempt, expression: "!('exempt' in object.metadata.?labels.orValue({}))"}
validations:
  - expression: "object.spec.template.spec.containers.all(c, c.image.startsWith('registry.example.com/'))"
    messageExpression: "'bad images: ' + object.spec.template.spec.containers.filter(c, !c.image.startsWith('registry.example.com/')).map(c, c.image).join(', ')"
  - expression: "object.spec.template.spec.containers.all(c, !c.image.endsWith(':latest'))"
    reason: Forbidden
`,
  `
name: limits
validations:
  - expression: "object.spec.template.spec.containers.all(c, has(c.resources) && has(c.resources.limits) && 'memory' in c.resources.limits && quantity(c.resources.limits.memory).compareTo(quantity('1Gi')) <= 0)"
    message: memory limit of at most 1Gi
`,
  `
name: runtime-errors
validations:
  - expression: "object.metadata.annotations['expires'] == '' || timestamp(object.metadata.annotations['expires']) > timestamp('2026-01-01T00:00:00Z')"
    message: expired
`,
  `
name: errors-ignored
failurePolicy: Ignore
validations:
  - {expression: "int(object.metadata.annotations['size']) < 10", message: too big}
`,
];

function document(value: JsonObject): SourceDocument<KubernetesObject> {
  if (!isKubernetesObject(value)) throw new Error("no object");
  return { file: "-", index: 0, value, locate: () => undefined, locateKey: () => undefined };
}

const policies = policyTexts.map((text): JsonObject => {
  const parsed = load(text);
  if (!isObject(parsed as JsonObject)) throw new Error("no policy");
  const { name, ...spec } = parsed as JsonObject;
  const resourceRules = [{ apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["deployments"] }];
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    metadata: { name: String(name) },
    spec: {
      failurePolicy: "Fail",
      matchConstraints: { resourceRules, objectSelector: { matchLabels: { [`try-${name}`]: "yes" } } },
      ...spec,
    },
  };
});

const bindings = policyTexts.map((text): JsonObject => {
  const name = String((load(text) as JsonObject)["name"]);
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: { name },
    spec: { policyName: name, validationActions: ["Deny"] },
  };
});

const names = policies.map((policy) => String((policy["metadata"] as JsonObject)["name"]));

const container = fc.record({
  image: fc.constantFrom("registry.example.com/a:1", "registry.example.com/b:latest", "docker.io/c:1", "d"),
  resources: fc.constantFrom(
    undefined,
    {},
    { limits: { memory: "512Mi" } },
    { limits: { memory: "1.5Gi", cpu: "1" } },
    { limits: { cpu: "1" } },
  ),
});

const deployment = fc
  .record({
    replicas: fc.integer({ min: 0, max: 7 }),
    team: fc.constantFrom(undefined, "nlp", "Vision", "a-b", ""),
    exempt: fc.boolean(),
    expires: fc.constantFrom(undefined, "", "2025-05-01T00:00:00Z", "2026-05-01T00:00:00Z", "soon"),
    size: fc.constantFrom(undefined, "5", "50", "big"),
    containers: fc.array(container, { minLength: 1, maxLength: 2 }),
    tried: fc.subarray(names, { minLength: 1, maxLength: 2 }),
  })
  .map(({ replicas, team, exempt, expires, size, containers, tried }): JsonObject => {
    const trying = Object.fromEntries(tried.map((name) => [`try-${name}`, "yes"]));
    const labels = { ...trying, ...(team === undefined ? {} : { team }), ...(exempt ? { exempt: "x" } : {}) };
    const annotations = { ...(expires === undefined ? {} : { expires }), ...(size === undefined ? {} : { size }) };
    const pods = containers.map((one, i): JsonObject => ({ name: `c${i}`, ...JSON.parse(JSON.stringify(one)) }));
    return {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: {
        name: "d",
        namespace: "default",
        labels,
        ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      },
      spec: {
        replicas,
        selector: { matchLabels: { app: "d" } },
        template: { metadata: { labels: { app: "d" } }, spec: { containers: pods } },
      },
    };
  });

const resources = loadKubernetesSchemas().resources();
const { set, diagnostics } = compilePolicies([...policies, ...bindings].map(document), resources);

/** Policies that refuse it, with what they say. */
function ours(value: JsonObject): readonly string[] {
  const object = document(value).value;
  const target = {
    type: "kubernetes",
    group: "apps",
    version: "v1",
    kind: "Deployment",
    resource: "deployments",
    subresource: "",
    namespace: "default",
    name: "d",
  } as const;
  const evaluation = evaluate(
    set,
    {
      channel: "admission",
      actor: { user: "admin", groups: ["system:masters", "system:authenticated"] },
      operation: "CREATE",
      dryRun: true,
      target,
      object,
      namespaceLabels: { "kubernetes.io/metadata.name": "default" },
      at: 0,
    },
    { get: () => ({ ok: false, message: "nothing is asked for" }) },
    { now: () => 0, random: () => 0 },
    { resources },
  );
  if (evaluation.kind === "pending") throw new Error("no policy asks for anything");
  const { effect, results } = evaluation.decision;
  const denying = results.filter(
    ({ policy, result }) => result.status === "fail" || (result.status === "error" && policy.onError === "deny"),
  );
  expect(effect).toBe(denying.length === 0 ? "allow" : "deny");
  return denying.map(({ policy, result }) => `${policy.id.name}: ${result.message}`);
}

describe.skipIf(!cluster.available)("ValidatingAdmissionPolicies: the API server's verdict and ours", () => {
  const api = cluster.available ? new ApiServer(cluster) : undefined;

  afterAll(async () => {
    api?.close();
    if (cluster.available) await cluster.stop();
  });

  test(`are the same for ${count} generated objects`, { timeout: 300_000 }, async () => {
    if (api === undefined) throw new Error("no cluster");
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    for (const policy of policies)
      expect((await api.create(`${admission}/validatingadmissionpolicies`, policy)).status).toBe(201);
    for (const one of bindings)
      expect((await api.create(`${admission}/validatingadmissionpolicybindings`, one)).status).toBe(201);
    const all = fc.sample(deployment, { numRuns: count, seed: 20261121 });
    // A policy is in force once something that it refuses is refused.
    const probes = names.flatMap((name): JsonObject[] =>
      all.filter((object) => ours(object).length === 1 && ours(object)[0]?.startsWith(`${name}:`)).slice(0, 1),
    );
    expect(probes).toHaveLength(names.length);
    await until(
      async () =>
        (await Promise.all(probes.map((object) => api.create(deployments, object)))).every(({ status }) => status >= 400),
      (inForce) => inForce,
    );
    const differences: string[] = [];
    const refusers = new Map<string, number>();
    let allowed = 0;
    for (const object of all) {
      const answer = await api.create(deployments, object);
      const message = String(answer.body["message"] ?? "");
      const mine = ours(object);
      if (mine.length === 0) allowed++;
      // The API server names one of the policies that refuse.
      const [, name, reason] =
        /ValidatingAdmissionPolicy '([^']+)' with binding '[^']+' denied request: (.*)$/s.exec(message) ?? [];
      if (name !== undefined) refusers.set(name, (refusers.get(name) ?? 0) + 1);
      const same = answer.status === 201 ? mine.length === 0 : mine.some((one) => one === `${name}: ${reason}`);
      if (!same)
        differences.push(
          `${JSON.stringify(object)}\n  API server ${answer.status} ${message}\n  ours: ${mine.join("; ") || "allowed"}`,
        );
    }
    expect(differences).toEqual([]);
    expect(allowed).toBeGreaterThan(count / 10);
    expect([...refusers.keys()].sort()).toEqual([...names].sort());
  });
});
