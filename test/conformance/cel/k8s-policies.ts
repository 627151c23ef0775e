import type { Fact, Need } from "../../../src/core/facts.ts";
import { isArray, isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import { isKubernetesObject, type KubernetesObject, nameOf, namespaceOf } from "../../../src/core/kubernetes.ts";
import { evaluate, PolicySet } from "../../../src/engine/index.ts";
import { mutatingAdmissionPolicyFormat } from "../../../src/policies/admission-policy/mutating-admission-policy.ts";
import type { CompiledPolicy } from "../../../src/policies/policy.ts";
import { expectJson, failure, type Outcome, passed } from "../corpus.ts";
import { fieldsOf, listOf } from "./go-literal.ts";
import { builtInSchemas, goPolicy, sourceDocument } from "./go-policy.ts";
import { structJson } from "./go-struct.ts";

const apiVersion = "admissionregistration.k8s.io/v1";
const kind = "MutatingAdmissionPolicy";

function compile(policy: KubernetesObject, bindings: readonly KubernetesObject[]): CompiledPolicy {
  const resources = builtInSchemas().resources();
  const env = { resources, bindings: bindings.map(sourceDocument) };
  const compiled = mutatingAdmissionPolicyFormat.compile(sourceDocument(policy), env);
  if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message);
  return compiled.value;
}

interface Outside {
  readonly namespace: JsonValue;
  readonly params: JsonValue;
}

/** The tests' cluster: everybody may do everything. */
function answer(need: Need, { namespace, params }: Outside): Fact {
  switch (need.kind) {
    case "namespace":
      return { ok: true, value: namespace };
    case "api-call":
      return { ok: true, value: { status: { allowed: true } } };
    case "objects":
      return { ok: true, value: isObject(params) ? [params] : [] };
    default:
      return { ok: false, message: `${need.kind} is not known` };
  }
}

interface Mutated {
  readonly object: KubernetesObject | undefined;
  readonly errors: readonly string[];
}

function mutate(policies: readonly CompiledPolicy[], object: KubernetesObject, outside: Outside): Mutated {
  const target = { type: "kubernetes", group: "apps", version: "v1", kind: "Deployment", resource: "deployments" } as const;
  const resources = builtInSchemas().resources();
  const evaluation = evaluate(
    new PolicySet(policies),
    {
      channel: "admission",
      actor: { user: "", groups: [] },
      operation: "CREATE",
      dryRun: false,
      target: { ...target, subresource: "", namespace: namespaceOf(object) || "default", name: nameOf(object) },
      object,
      at: 0,
    },
    { get: (need) => answer(need, outside) },
    { now: () => 0, random: () => 0 },
    { resources, kinds: ["mutate"] },
  );
  if (evaluation.kind === "pending") throw new Error("the facts answer every need");
  const { results } = evaluation.decision;
  const errors = results.flatMap(({ result }) => (result.status === "error" ? [result.message] : []));
  return { object: evaluation.decision.object, errors };
}

function deployment(value: JsonValue | undefined): KubernetesObject {
  const json = structJson(value);
  const given = isObject(json) ? json : {};
  const object = { metadata: {}, ...given, apiVersion: "apps/v1", kind: "Deployment" };
  if (!isKubernetesObject(object)) throw new Error("no object");
  return object;
}

/** Go leaves empty maps out. */
function withoutEmpty(value: JsonValue): JsonValue {
  if (isArray(value)) return value.map(withoutEmpty);
  if (!isObject(value)) return value;
  const members = Object.entries(value).flatMap(([name, inner]): readonly (readonly [string, JsonValue])[] => {
    const plain = inner === undefined ? {} : withoutEmpty(inner);
    return isObject(plain) && Object.keys(plain).length === 0 ? [] : [[name, plain]];
  });
  return Object.fromEntries(members);
}

const compared = (object: JsonValue | undefined): JsonValue => withoutEmpty(object ?? null);

/** One mutating policy on a deployment, without a binding. */
export function runMutatingRow(row: JsonObject): Outcome {
  const policy = goPolicy(kind, row["policy"]);
  const binding = {
    apiVersion,
    kind: `${kind}Binding`,
    metadata: { name: "b" },
    spec: { policyName: "d1", paramRef: { name: "p" } },
  };
  const params = structJson(row["params"]);
  const outside = { namespace: structJson(row["namespace"]), params };
  const { object, errors } = mutate([compile(policy, [binding])], deployment(row["object"]), outside);
  const expected = row["expectedErr"];
  if (expected !== undefined) {
    const said = errors.join("; ");
    return said.includes(String(expected)) ? passed : failure(`errors: ${said}`);
  }
  if (errors.length > 0) return failure(errors.join("; "));
  return expectJson(compared(object), compared(deployment(row["expectedResult"])));
}

/** The tests' API server defaults the strategy of deployments, and nothing else. */
function defaulted(object: KubernetesObject | undefined): JsonValue {
  const spec = object?.["spec"];
  return object === undefined || !isObject(spec) ? null : { ...object, spec: { strategy: { type: "RollingUpdate" }, ...spec } };
}

/** Several mutating policies with their bindings on a deployment. */
export function runDispatcherRow(row: JsonObject): Outcome {
  const policies = listOf(row["policyHooks"]).map((hook) => {
    const { Policy, Bindings } = fieldsOf(hook);
    const bindings = listOf(Bindings).map((binding) => {
      const json = structJson(binding);
      return { metadata: {}, ...(isObject(json) ? json : {}), apiVersion, kind: `${kind}Binding` };
    });
    return compile(goPolicy(kind, Policy), bindings.filter(isKubernetesObject));
  });
  const params = listOf(row["params"]).map(structJson);
  const outside = {
    namespace: { apiVersion: "v1", kind: "Namespace", metadata: { name: "default" } },
    params: params[0] ?? null,
  };
  const { object, errors } = mutate(policies, deployment(row["object"]), outside);
  if (errors.length > 0) return failure(errors.join("; "));
  return expectJson(compared(defaulted(object)), compared(deployment(row["expect"])));
}
