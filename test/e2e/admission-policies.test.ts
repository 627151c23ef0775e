import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isArray, isObject, type JsonObject, type JsonValue, member } from "../../src/core/json.ts";
import { isKubernetesObject, type KubernetesObject, nameOf } from "../../src/core/kubernetes.ts";
import { kubernetesSchemas } from "../../src/core/schema.ts";
import type { SourceDocument } from "../../src/core/source.ts";
import { evaluate, PolicySet } from "../../src/engine/index.ts";
import { allFormats } from "../../src/policies/all-formats.ts";
import { startCluster } from "../cluster/start.ts";
import { admissionExpressions, caseObject, validationOf } from "./admission-expressions.ts";
import { type Answered, ApiServer, until } from "./api-server.ts";

const cluster = await startCluster({ controllerManager: true });
const policiesPath = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
const bindingsPath = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";
const mutatingPath = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies";
const mutatingBindingsPath = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings";
const configMaps = "/api/v1/namespaces/default/configmaps?dryRun=All";
const catalog = readFileSync(join(import.meta.dirname, "../../catalog/kubernetes/v1.36.json"), "utf8");
const resources = kubernetesSchemas(JSON.parse(catalog)).resources();

function document(value: JsonObject): SourceDocument<KubernetesObject> {
  if (!isKubernetesObject(value)) throw new Error("no object");
  return { file: "-", index: 0, value, locate: () => undefined, locateKey: () => undefined };
}

/** What is tried beside single expressions. */
interface Scenarios {
  readonly validating: readonly { readonly name: string; readonly spec: JsonObject; readonly binding?: JsonObject }[];
  /** Checked against the kinds that `rules` name. */
  readonly typed: readonly ({ readonly name: string; readonly rules: JsonValue } & JsonObject)[];
  /** Each with its policies, which fail closed and run once unless they say otherwise. */
  readonly mutating: readonly { readonly name: string; readonly policies: readonly JsonObject[] }[];
}

const scenarios = load(readFileSync(join(import.meta.dirname, "admission-scenarios.yaml"), "utf8")) as unknown as Scenarios;
const given = { failurePolicy: "Fail", reinvocationPolicy: "Never" };

const rules = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }];

function policy(kind: string, name: string, spec: JsonObject): JsonObject {
  const objectSelector = { matchLabels: { case: name } };
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind,
    metadata: { name },
    spec: { matchConstraints: { resourceRules: rules, objectSelector }, ...spec },
  };
}

function binding(kind: string, name: string, policyName: string, spec: JsonObject = {}): JsonObject {
  const actions = kind.startsWith("Validating") ? { validationActions: ["Deny"] } : {};
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: `${kind}Binding`,
    metadata: { name },
    spec: { policyName, ...actions, ...spec },
  };
}

function compile(policies: readonly JsonObject[], bindings: readonly JsonObject[]) {
  const env = { resources, bindings: bindings.map(document) };
  const compiled = policies.map((one) => {
    const format = allFormats.formats.find((f) => f.kinds.some((k) => k.kind === one["kind"]));
    return format?.compile(document(one), env);
  });
  const loaded = compiled.flatMap((one) => (one?.ok === true ? [one.value] : []));
  const diagnostics = compiled.flatMap((one) => one?.diagnostics ?? []);
  return { set: new PolicySet(loaded), diagnostics };
}

const namespace = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: "default", labels: { "kubernetes.io/metadata.name": "default" } },
  spec: { finalizers: ["kubernetes"] },
  status: { phase: "Active" },
};

/** What we say of an object: as its administrator may do everything, and everybody else nothing. */
function judge(
  policies: readonly JsonObject[],
  bindings: readonly JsonObject[],
  sent: JsonObject,
  objects: readonly JsonObject[] = [],
) {
  const object = document(sent).value;
  const evaluation = evaluate(
    compile(policies, bindings).set,
    {
      channel: "admission",
      actor: { user: "admin", groups: ["system:masters", "system:authenticated"] },
      operation: "CREATE",
      dryRun: true,
      target: {
        type: "kubernetes",
        group: "",
        version: "v1",
        kind: "ConfigMap",
        resource: "configmaps",
        subresource: "",
        namespace: "default",
        name: nameOf(object),
      },
      object,
      at: 0,
    },
    {
      get: (need) => {
        if (need.kind === "namespace") return { ok: true, value: namespace };
        if (need.kind === "objects") {
          return { ok: true, value: objects.filter((one) => need.name === "" || nameOf(document(one).value) === need.name) };
        }
        if (need.kind !== "api-call") return { ok: false, message: "not known" };
        return { ok: true, value: { status: { allowed: member(member(need.body, "spec"), "user") === "admin", reason: "" } } };
      },
    },
    { now: () => 0, random: () => 0 },
    { resources },
  );
  if (evaluation.kind === "pending") throw new Error("the facts answer every need");
  return evaluation.decision;
}

const messageOf = ({ body }: Answered): string => String(body["message"] ?? "");

/** What follows `denied request: `. */
const reasonOf = (answer: Answered): string => messageOf(answer).replace(/^.*?denied request: /s, "");

/** JSON with its members in order. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_, one: JsonValue) => (isObject(one) ? Object.fromEntries(Object.entries(one).sort()) : one));
}

describe.skipIf(!cluster.available)("admission policies and a real API server", () => {
  const server = cluster.available ? new ApiServer(cluster) : undefined;
  const api = () => {
    if (server === undefined) throw new Error("no cluster");
    return server;
  };
  const kind = "ValidatingAdmissionPolicy";

  beforeAll(async () => {
    await until(
      () => api().send("GET", "/api/v1/namespaces/default"),
      ({ status }) => status === 200,
    );
  });
  afterAll(async () => {
    server?.close();
    if (cluster.available) await cluster.stop();
  });

  /** Waits until policies that were made before are in force. */
  const inForce = async (name: string) => {
    await api().create(policiesPath, policy(kind, name, { validations: [{ expression: "false" }] }));
    await api().create(bindingsPath, binding(kind, name, name));
    await until(
      () => api().create(configMaps, caseObject(name)),
      ({ status }) => status !== 201,
    );
  };

  test("300 expressions are accepted, refused and told about in the same words", async () => {
    const expressions = admissionExpressions(320);
    const cases = expressions.map((source, i) => {
      const name = `case-${i}`;
      return {
        source,
        name,
        policy: policy(kind, name, { validations: [validationOf(source)] }),
        binding: binding(kind, name, name),
      };
    });
    const created = await Promise.all(cases.map((one) => api().create(policiesPath, one.policy)));
    await Promise.all(cases.map((one) => api().create(bindingsPath, one.binding)));
    await inForce("expressions");
    const differences: string[] = [];
    let [refused, denied] = [0, 0];
    for (const [i, one] of cases.entries()) {
      const theirs = created[i];
      if (theirs === undefined) throw new Error("no answer");
      const { diagnostics } = compile([one.policy], [one.binding]);
      const errors = diagnostics.filter((d) => d.severity === "error");
      if (theirs.status !== 201) {
        refused++;
        const ours = errors[0]?.message.replace(/^\S+: /, "");
        if (ours === undefined || !messageOf(theirs).includes(ours)) {
          differences.push(`${one.source}\n  theirs: ${messageOf(theirs)}\n  ours: ${String(errors[0]?.message)}`);
        }
        continue;
      }
      const answer = await api().create(configMaps, caseObject(one.name));
      const decision = judge([one.policy], [one.binding], caseObject(one.name));
      const ours = errors[0]?.message ?? decision.results[0]?.result.message ?? "";
      if (answer.status !== 201) denied++;
      const [theirs2, ours2] = [answer.status === 201 ? "" : reasonOf(answer), decision.effect === "allow" ? "" : ours];
      if (theirs2 !== ours2) differences.push(`${one.source}\n  theirs: ${theirs2}\n  ours: ${ours2}`);
    }
    console.log(`${cases.length} expressions: ${refused} refused, ${denied} denied, ${differences.length} differences`);
    expect(differences.join("\n")).toBe("");
    expect(cases.length).toBeGreaterThanOrEqual(300);
  });

  const parameters = (name: string, limit: string) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "default", labels: { limits: "yes" } },
    data: { limit },
  });
  test("failures, conditions, variables, parameters and costs end alike", async () => {
    const kept = [parameters("five", "5"), parameters("nine", "9")];
    for (const one of kept) await api().create("/api/v1/namespaces/default/configmaps", one);
    const made = scenarios.validating.map(({ name, spec, binding: bound }) => ({
      name,
      policy: policy(kind, name, spec),
      binding: binding(kind, name, name, bound),
    }));
    for (const one of made) {
      expect((await api().create(policiesPath, one.policy)).status, one.name).toBe(201);
      expect((await api().create(bindingsPath, one.binding)).status, one.name).toBe(201);
    }
    await inForce("scenarios");
    const outcomes = await Promise.all(
      made.map(async (one) => {
        const answer = await api().create(configMaps, caseObject(one.name));
        const decision = judge([one.policy], [one.binding], caseObject(one.name), kept);
        const told = decision.results.filter(({ result }) => result.status !== "pass" && result.status !== "skip");
        const ours = decision.effect === "allow" ? "" : (told[0]?.result.message ?? "denied");
        return { name: one.name, theirs: answer.status === 201 ? "" : reasonOf(answer), ours };
      }),
    );
    for (const { name, theirs, ours } of outcomes) expect(`${name}: ${ours}`).toBe(`${name}: ${theirs}`);
  });

  test("mutations end alike, those of several policies and second rounds as well", async () => {
    const kindOfAll = "MutatingAdmissionPolicy";
    const marking = {
      patchType: "JSONPatch",
      jsonPatch: { expression: `[JSONPatch{op: "add", path: "/data/ready", value: "yes"}]` },
    };
    const made = scenarios.mutating.map(({ name, policies: specs }) => ({
      name,
      policies: specs.map((spec, i) => {
        const objectSelector = { matchLabels: { case: name } };
        return policy(kindOfAll, `${name}-${i}`, {
          matchConstraints: { resourceRules: rules, objectSelector },
          ...given,
          ...spec,
        });
      }),
      bindings: specs.map((_, i) => binding(kindOfAll, `${name}-${i}`, `${name}-${i}`)),
    }));
    for (const { policies, bindings } of made) {
      for (const one of policies) expect(messageOf(await api().create(mutatingPath, one))).toBe("");
      for (const one of bindings) expect(messageOf(await api().create(mutatingBindingsPath, one))).toBe("");
    }
    await api().create(mutatingPath, policy(kindOfAll, "ready", { ...given, mutations: [marking] }));
    await api().create(mutatingBindingsPath, binding(kindOfAll, "ready", "ready"));
    await until(
      () => api().create(configMaps, caseObject("ready")),
      ({ body }) => member(body["data"], "ready") === "yes",
    );
    const differences: string[] = [];
    for (const { name, policies, bindings } of made) {
      const answer = await api().create(configMaps, caseObject(name));
      const decision = judge(policies, bindings, caseObject(name));
      const seen = (object: JsonObject | undefined) => sorted([member(object?.["metadata"], "labels"), object?.["data"]]);
      // Go names its own types where a value does not fit.
      const plain = (text: string) => text.replace(/ Go struct field .*/, "");
      const theirs = answer.status === 201 ? seen(answer.body) : plain(reasonOf(answer));
      const told = decision.results.find(({ result }) => result.status === "error");
      const ours = decision.effect === "allow" ? seen(decision.object) : plain(told?.result.message ?? "");
      if (theirs !== ours) differences.push(`${name}\n  theirs: ${theirs}\n  ours: ${ours}`);
    }
    expect(differences.join("\n")).toBe("");
  });

  test("what does not fit its kind is warned of alike", async () => {
    const made = scenarios.typed.map(({ name, rules: resourceRules, ...rest }) => ({
      name,
      one: policy(kind, name, { ...rest, matchConstraints: { resourceRules } }),
    }));
    for (const { one } of made) expect(messageOf(await api().create(policiesPath, one))).toBe("");
    for (const { name, one } of made) {
      const answer = await until(
        () => api().send("GET", `${policiesPath}/${name}`),
        ({ body }) => member(body["status"], "observedGeneration") !== undefined,
      );
      const told = member(member(answer.body["status"], "typeChecking"), "expressionWarnings");
      const theirs = (isArray(told) ? told : []).map((w) => `${String(member(w, "fieldRef"))}: ${String(member(w, "warning"))}`);
      const warnings = compile([one], []).diagnostics.filter((d) => d.code === "CEL_TYPE");
      // The API server numbers its types, and ends each kind's paragraph with a new line.
      const plain = (text: string) => text.replace(/(?<=[a-z])\d{3,}/g, "").trim();
      expect(
        warnings.map((w) => plain(w.message)),
        name,
      ).toEqual(theirs.map((w) => plain(w.replaceAll("\n\n", "\n"))));
    }
  });
});
