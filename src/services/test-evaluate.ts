import { dirname, join } from "node:path";
import type { Action, Operation } from "../core/action.ts";
import type { Facts } from "../core/facts.ts";
import type { Host } from "../core/host.ts";
import { isObject, type JsonObject, type JsonValue } from "../core/json.ts";
import { gvkOf, isKubernetesObject, type KubernetesObject, nameOf, namespaceOf } from "../core/kubernetes.ts";
import { evaluate, type PolicyResult, PolicySet } from "../engine/index.ts";
import { mergeInto } from "../policies/kyverno/scope.ts";
import type { CompiledPolicy, PolicyId, RuleKind } from "../policies/policy.ts";
import type { TestDocuments } from "./test-documents.ts";
import type { TestOperation } from "./test-spec.ts";
import { nested } from "./test-values.ts";
import type { TestWorld } from "./test-world.ts";

/** What one policy did with one object in one kind of stage. */
export interface PolicyRun {
  readonly policy: CompiledPolicy;
  readonly results: readonly PolicyResult[];
  /** The object after the stage. */
  readonly object: KubernetesObject;
}

/** One set per policy, so that each can be judged with the values that are given for it. */
const sets = new WeakMap<CompiledPolicy, PolicySet>();

function setOf(policy: CompiledPolicy): PolicySet {
  let set = sets.get(policy);
  if (set === undefined) {
    set = new PolicySet([policy]);
    sets.set(policy, set);
  }
  return set;
}

const objectPrefixes = ["request.object", "request.oldObject"] as const;

/** The object with the values that are given for parts of it. */
function injected(
  object: KubernetesObject,
  values: ReadonlyMap<string, JsonValue>,
  prefix: (typeof objectPrefixes)[number],
): KubernetesObject {
  const parts = [...values].filter(([name]) => name.startsWith(`${prefix}.`));
  if (parts.length === 0) return object;
  const merged = mergeInto(object, nested(new Map(parts.map(([name, value]) => [name.slice(prefix.length + 1), value]))));
  return isKubernetesObject(merged) ? merged : object;
}

function operationOf(values: ReadonlyMap<string, JsonValue>, wanted: TestOperation | undefined): Operation {
  if (wanted !== undefined) return wanted;
  const given = values.get("request.operation");
  return given === "DELETE" || given === "UPDATE" ? given : "CREATE";
}

/** The kind that the object stands for: its own, or the parent's where the test says that it is a subresource. */
function targetOf(world: TestWorld, object: KubernetesObject): Action["target"] {
  const gvk = gvkOf(object);
  const sub = world.values.subresources.find((s) => s.kind === gvk.kind && s.group === gvk.group && s.version === gvk.version);
  const kind = sub?.parent ?? gvk;
  return {
    type: "kubernetes",
    group: kind.group,
    version: kind.version,
    kind: kind.kind,
    resource: world.resources.byKind(kind.group, kind.kind)?.resource ?? "",
    subresource: sub?.subresource ?? "",
    namespace: namespaceOf(object),
    name: nameOf(object),
  };
}

function actionFor(
  world: TestWorld,
  object: KubernetesObject,
  values: ReadonlyMap<string, JsonValue>,
  wanted: TestOperation | undefined,
  at: number,
): Action {
  const operation = operationOf(values, wanted);
  const payload = world.payloads.get(object);
  if (payload !== undefined) {
    const target = { ...targetOf(world, object), resource: "" };
    return { channel: "scan", actor: world.actor, operation, dryRun: false, target, ...payload, at };
  }
  return {
    channel: "scan",
    actor: world.actor,
    operation,
    dryRun: false,
    target: targetOf(world, object),
    object: operation === "DELETE" ? undefined : injected(object, values, "request.object"),
    oldObject: operation === "CREATE" ? undefined : injected(object, values, "request.oldObject"),
    namespaceLabels: world.values.namespaceLabels.get(namespaceOf(object)) ?? {},
    at,
  };
}

/** Values that are not parts of the object: what variables see besides it. */
function suppliedFor(
  world: TestWorld,
  values: ReadonlyMap<string, JsonValue>,
  wanted: TestOperation | undefined,
): (policy: PolicyId, rule: string) => JsonObject | undefined {
  const shared = [...values].filter(([name]) => !objectPrefixes.some((prefix) => name.startsWith(`${prefix}.`)));
  const own = wanted === undefined ? shared : [...shared, ["request.operation", wanted] as const];
  return (policy, rule) => {
    const all = new Map([...own, ...world.values.forRule(policy.name, rule)]);
    return all.size === 0 ? undefined : nested(all);
  };
}

/** What a run needs besides the world. */
export interface RunEnvironment {
  readonly host: Host;
  readonly documents: TestDocuments;
}

/** Source objects to clone from, as the results about this policy name them. */
function cloneSources(world: TestWorld, policy: CompiledPolicy, documents: TestDocuments): readonly KubernetesObject[] {
  const files = world.spec.results
    .filter((entry) => entry.policy.split("/").at(-1) === policy.id.name)
    .map((entry) => entry.cloneSourceResource)
    .filter((file) => file !== undefined);
  const directory = dirname(world.spec.document.file);
  return [...new Set(files)]
    .flatMap((file) => documents.read(join(directory, file)).documents)
    .map((document) => inDefaultNamespace(document.value))
    .filter((object) => object !== undefined);
}

function inDefaultNamespace(value: JsonValue): KubernetesObject | undefined {
  if (!isKubernetesObject(value)) return undefined;
  const metadata = isObject(value.metadata) ? value.metadata : {};
  return namespaceOf(value) === "" ? { ...value, metadata: { ...metadata, namespace: "default" } } : value;
}

interface Stage {
  readonly kind: RuleKind;
  readonly facts: (policy: CompiledPolicy) => Facts;
}

/**
 * Judges one object by the test's policies, kind of rule by kind of rule as admission does, each policy with the values
 * that are given for it.
 */
export function evaluateObject(
  world: TestWorld,
  object: KubernetesObject,
  wanted: TestOperation | undefined,
  environment: RunEnvironment,
): readonly PolicyRun[] {
  const shared = world.facts([]);
  const at = environment.host.now();
  const stages: readonly Stage[] = [
    { kind: "mutate", facts: () => shared },
    { kind: "verify", facts: () => shared },
    { kind: "validate", facts: () => shared },
    { kind: "generate", facts: (policy) => world.facts(cloneSources(world, policy, environment.documents)) },
    { kind: "delete", facts: () => shared },
  ];
  const runs: PolicyRun[] = [];
  let current = object;
  for (const stage of stages) {
    for (const policy of world.policies.set.policies) {
      if (!policy.rules.some((rule) => rule.kind === stage.kind)) continue;
      const values = world.values.forResource(policy.id.name, nameOf(object));
      const action = actionFor(world, current, values, wanted, at);
      const supplied = suppliedFor(world, values, wanted);
      const options = { resources: world.resources, passes: true, kinds: [stage.kind], supplied };
      const evaluation = evaluate(setOf(policy), action, stage.facts(policy), environment.host, options);
      if (evaluation.kind === "pending") throw new Error("a test's facts answer every need");
      if (stage.kind === "mutate") current = evaluation.decision.object ?? current;
      runs.push({ policy, results: evaluation.decision.results, object: evaluation.decision.object ?? current });
    }
  }
  return runs;
}
