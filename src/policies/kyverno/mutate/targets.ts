import type { Need } from "../../../core/facts.ts";
import { requireFact } from "../../../core/facts.ts";
import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../../core/json.ts";
import { isKubernetesObject, type KubernetesObject } from "../../../core/kubernetes.ts";
import { containsWildcard } from "../../../core/wildcard.ts";
import type { RuleResult } from "../../policy.ts";
import { type ConditionsProgram, compileConditions } from "../conditions.ts";
import { compileContext } from "../context.ts";
import { parseKindSelector } from "../kind-selector.ts";
import { errorResult, joinNonEmpty, reasonOf, skipped } from "../outcome.ts";
import type { DocumentReport } from "../report.ts";
import type { PolicySource, RuleScope, ScopeExtension } from "../rule-types.ts";
import { compileTemplate, type Template } from "../variables.ts";

/** An entry of `mutate.targets`. */
interface Target {
  readonly index: number;
  readonly selector: Template;
  readonly extend: ScopeExtension;
  readonly preconditions: ConditionsProgram;
}

/** A live object that a rule may change, and the scope in which it does; or why it does not. */
export type TargetTurn = { readonly scope: RuleScope; readonly object: KubernetesObject } | { readonly result: RuleResult };

/** Finds the objects to change. @throws NeedsFacts while they are not known */
export type TargetsProgram = (scope: RuleScope) => readonly TargetTurn[];

/** Compiles `mutate.targets`; wrong entries are reported. */
export function compileTargets(
  spec: readonly JsonValue[],
  path: JsonPath,
  policy: PolicySource,
  report: DocumentReport,
): TargetsProgram {
  const targets = spec.map((entry, i) => compileTarget(entry, i, [...path, i], policy, report)).filter((t) => t !== undefined);
  return (scope) => targets.flatMap((target) => turnsOf(target, scope, policy));
}

const selectorFields = ["apiVersion", "kind", "namespace", "name", "uid", "selector"] as const;

function compileTarget(
  spec: JsonValue,
  index: number,
  path: JsonPath,
  policy: PolicySource,
  report: DocumentReport,
): Target | undefined {
  const fields = selectorFields.map((field) => [field, member(spec, field)] as const).filter(([, value]) => value !== undefined);
  const selector = compileTemplate(Object.fromEntries(fields));
  report.adopt(selector.diagnostics, path);
  const extend = compileContext(member(spec, "context"), [...path, "context"], policy, report);
  const preconditions = compileConditions(member(spec, "preconditions"));
  report.adopt(preconditions.diagnostics, [...path, "preconditions"]);
  if ((asString(member(spec, "kind")) ?? "") === "") report.error("KYV_BAD_RULE", path, "a target needs a kind");
  if (!selector.ok || !preconditions.ok) return undefined;
  return { index, selector: selector.value, extend, preconditions: preconditions.value };
}

function turnsOf(target: Target, scope: RuleScope, policy: PolicySource): readonly TargetTurn[] {
  let selector: JsonValue;
  try {
    selector = target.selector.substitute(scope);
  } catch (error) {
    return [{ result: errorResult(`failed to substitute variables in target[${target.index}]: ${reasonOf(error)}`) }];
  }
  try {
    return liveObjects(selector, scope, policy).map((object) => turn(target, scope, object));
  } catch (error) {
    return [{ result: errorResult(reasonOf(error)) }];
  }
}

/** @throws NeedsFacts; Error when they could not be read, or a single object that is named does not exist */
function liveObjects(selector: JsonValue, scope: RuleScope, policy: PolicySource): readonly KubernetesObject[] {
  const text = (field: string) => asString(member(selector, field)) ?? "";
  // As in Kyverno, a version without a group stands for that version of any group.
  const { group, version, kind, subresource } = parseKindSelector(`${text("apiVersion")}/${text("kind")}`);
  const namespace = policy.namespace === "" ? text("namespace") : policy.namespace;
  const name = text("name");
  const labels = member(selector, "selector");
  const single = namespace !== "" && name !== "" && !containsWildcard(namespace) && !containsWildcard(name);
  const need: Need = {
    kind: "objects",
    apiVersion: `${group}/${version}`,
    objectKind: kind,
    subresource,
    namespace,
    name,
    // Kyverno reads an object by its name without regard to its labels.
    ...(single || !isObject(labels) ? {} : { selector: labels }),
  };
  const found = requireFact(scope.context.facts, need);
  const objects = isArray(found) ? found.filter(isKubernetesObject) : [];
  if (single && objects.length === 0) throw new Error(`${kind} "${name}" not found`);
  return objects;
}

function turn(target: Target, scope: RuleScope, object: KubernetesObject): TargetTurn {
  const extended = target.extend(scope.with({ target: object satisfies JsonObject }));
  try {
    const { met, message } = target.preconditions(extended);
    if (!met) return { result: skipped(joinNonEmpty(["preconditions not met", message], "; ")) };
  } catch (error) {
    return { result: errorResult(`failed to evaluate preconditions: ${reasonOf(error)}`) };
  }
  return { scope: extended, object };
}
