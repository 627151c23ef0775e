import { asString, isArray, type JsonPath, type JsonValue, jsonEquals, member } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { compileJmesPath, type JmesPathProgram, NotFound } from "../../../languages/jmespath/index.ts";
import { type ConditionsProgram, compileConditions } from "../conditions.ts";
import { compileContext } from "../context.ts";
import type { DocumentReport } from "../report.ts";
import type { PolicySource, RuleScope, ScopeExtension } from "../rule-types.ts";
import { elementMembers } from "../validate-foreach.ts";
import { compilePatch, failedMutation, hasPatch, type Mutation, noPatches, type Patcher } from "./patch.ts";

interface Loop {
  readonly list: JmesPathProgram;
  /** The expression as written. */
  readonly listText: string;
  readonly descending: boolean;
  readonly nesting: number;
  readonly extend: ScopeExtension;
  readonly preconditions: ConditionsProgram;
  readonly body: Patcher;
}

/** Where a list of loops stands. */
export interface LoopContext {
  readonly path: JsonPath;
  readonly policy: PolicySource;
  readonly report: DocumentReport;
  /** 0 for the outermost loops. */
  readonly nesting: number;
}

/** Compiles `foreach`: each loop sees the object that the ones before it made. Wrong loops are reported and left out. */
export function compileForeach(spec: readonly JsonValue[], context: LoopContext): Patcher {
  const loops = spec
    .map((entry, i) => compileLoop(entry, { ...context, path: [...context.path, i] }))
    .filter((l) => l !== undefined);
  return (scope, object) => {
    let current = object;
    let currentScope = scope;
    let applied = 0;
    for (const loop of loops) {
      const result = runLoop(loop, currentScope, current);
      if (result.status === "error") return result;
      if (result.status === "skip") continue;
      applied++;
      current = result.object;
      currentScope = scope.withObject(current);
    }
    if (applied === 0) return { status: "skip", message: "0 elements processed" };
    return { status: "pass", object: current };
  };
}

function compileLoop(spec: JsonValue, context: LoopContext): Loop | undefined {
  const { path, policy, report, nesting } = context;
  const listText = asString(member(spec, "list"))?.trim() ?? "";
  const list = compileJmesPath(listText);
  report.adopt(list.diagnostics, [...path, "list"]);
  const extend = compileContext(member(spec, "context"), [...path, "context"], policy, report);
  const preconditions = compileConditions(member(spec, "preconditions"));
  report.adopt(preconditions.diagnostics, [...path, "preconditions"]);
  const order = asString(member(spec, "order"));
  if (order !== undefined && order !== "Ascending" && order !== "Descending") {
    report.error("KYV_BAD_RULE", [...path, "order"], `must be Ascending or Descending, but is ${JSON.stringify(order)}`);
  }
  const body = compileBody(spec, context);
  if (!list.ok || !preconditions.ok || body === undefined) return undefined;
  // Later items end up first in a merged list, so that merges go backwards unless told otherwise.
  const descending = order === undefined ? (member(spec, "patchStrategicMerge") ?? null) !== null : order === "Descending";
  return { list: list.value, listText, descending, nesting, extend, preconditions: preconditions.value, body };
}

function compileBody(spec: JsonValue, { path, policy, report, nesting }: LoopContext): Patcher | undefined {
  const nested = member(spec, "foreach");
  if (isArray(nested) && nested.length > 0) {
    return compileForeach(nested, { path: [...path, "foreach"], policy, report, nesting: nesting + 1 });
  }
  if (hasPatch(spec)) return compilePatch(spec, "", path, report);
  report.error("KYV_BAD_RULE", path, "needs one of patchStrategicMerge, patchesJson6902, foreach");
  return undefined;
}

/** Values of the list, each with its place in it, in the order in which they are gone through. */
function elementsOf(loop: Loop, scope: RuleScope): readonly (readonly [number, JsonValue])[] {
  const value = loop.list(scope.root, scope.host);
  if (value instanceof NotFound) throw new Error(`JMESPath query failed: ${value.message}`);
  const elements = [...(isArray(value) ? value : [value]).entries()];
  return loop.descending ? elements.reverse() : elements;
}

function runLoop(loop: Loop, scope: RuleScope, object: KubernetesObject): Mutation {
  let elements: ReturnType<typeof elementsOf>;
  try {
    elements = elementsOf(loop, scope);
  } catch (error) {
    return failedMutation(`failed to evaluate list ${loop.listText}`, error);
  }
  let current = object;
  for (const [index, element] of elements) {
    scope.context.budget.spend();
    if (element === null) continue;
    const result = runTurn(loop, scope.with(elementMembers(element, index, loop.nesting)), index, current);
    if (result.status === "error") return { status: "error", message: `failed to mutate elements: ${result.message}` };
    if (result.status === "pass") current = result.object;
  }
  return jsonEquals(current, object) ? noPatches : { status: "pass", object: current };
}

function runTurn(loop: Loop, scope: RuleScope, index: number, object: KubernetesObject): Mutation {
  const extended = loop.extend(scope);
  try {
    if (!loop.preconditions(extended).met) return noPatches;
  } catch (error) {
    return failedMutation(`failed to evaluate mutate.foreach[${index}].preconditions`, error);
  }
  return loop.body(extended, object);
}
