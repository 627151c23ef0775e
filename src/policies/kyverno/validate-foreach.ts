import { asString, isArray, isObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { compileJmesPath, type JmesPathProgram, NotFound } from "../../languages/jmespath/index.ts";
import type { RuleResult } from "../policy.ts";
import { type ConditionsProgram, compileConditions } from "./conditions.ts";
import { compileContext } from "./context.ts";
import { errorResult, passed, reasonOf } from "./outcome.ts";
import type { RuleScope, ScopeExtension } from "./rule-types.ts";
import { type Check, type CheckContext, compileCheck, type Subject } from "./validate.ts";

interface Loop {
  readonly list: JmesPathProgram;
  readonly elementScope: boolean | undefined;
  readonly nesting: number;
  readonly extend: ScopeExtension;
  readonly preconditions: ConditionsProgram;
  readonly check: Check | undefined;
}

/** The members of the scope of one turn of a loop; `nesting` counts from 0. */
export function elementMembers(element: JsonValue, index: number, nesting: number): { [name: string]: JsonValue } {
  return {
    element,
    elementIndex: index,
    [`element${nesting}`]: element,
    [`elementIndex${nesting}`]: index,
  };
}

/** The items a loop goes over: of a list its items, of anything else the value itself; undefined where there is none. */
function listItems(list: JmesPathProgram, scope: RuleScope): readonly JsonValue[] | undefined {
  const value = list(scope.root, scope.host);
  if (value instanceof NotFound) return undefined;
  return isArray(value) ? value : [value];
}

function compileLoop(spec: JsonValue, path: JsonPath, context: CheckContext, nesting: number): Loop | undefined {
  const { report } = context;
  const list = compileJmesPath(asString(member(spec, "list")) ?? "");
  report.adopt(list.diagnostics, [...path, "list"]);
  const extend = compileContext(member(spec, "context"), [...path, "context"], context.policy, report);
  const preconditions = compileConditions(member(spec, "preconditions"));
  report.adopt(preconditions.diagnostics, [...path, "preconditions"]);
  const check = compileCheck(spec, path, context, nesting + 1);
  if (!list.ok || !preconditions.ok) return undefined;
  const elementScope = member(spec, "elementScope");
  return {
    list: list.value,
    elementScope: typeof elementScope === "boolean" ? elementScope : undefined,
    nesting,
    extend,
    preconditions: preconditions.value,
    check,
  };
}

const goKind = (value: JsonValue): string =>
  isArray(value) ? "[]interface {}" : typeof value === "boolean" ? "bool" : typeof value === "string" ? "string" : "float64";

/** One turn: undefined when the element does not count (skipped, or nothing to check). */
function turn(loop: Loop, subject: Subject, element: JsonValue, index: number): RuleResult | undefined {
  const isMap = isObject(element);
  if (loop.elementScope === true && !isMap) {
    const problem = `cannot use elementScope=true foreach rules for elements that are not maps, expected type=map got type=${goKind(element)}`;
    return errorResult(`failed to process foreach: ${problem}`);
  }
  const scoped = loop.elementScope ?? isMap;
  const scope = loop.extend(subject.scope.withMembers(() => elementMembers(element, index, loop.nesting)));
  try {
    if (!loop.preconditions(scope).met) return undefined;
  } catch (error) {
    reasonOf(error);
    // An element whose preconditions cannot be evaluated is left out, as Kyverno does.
    return undefined;
  }
  const result = loop.check?.({ scope, element: scoped ? element : subject.element });
  if (result === undefined || result.status === "skip") return undefined;
  return result.status === "pass" ? result : { ...result, message: `validation failure: ${result.message}` };
}

/** Goes over one list: the first result that is no pass, or how many elements passed. */
function runLoop(loop: Loop, subject: Subject, items: readonly JsonValue[]): RuleResult | number {
  let count = 0;
  for (const [index, element] of items.entries()) {
    subject.scope.context.budget.spend();
    if (element === null) continue;
    const result = turn(loop, subject, element, index);
    if (result === undefined) continue;
    if (result.status !== "pass") return result;
    count++;
  }
  return count;
}

/** Compiles a list of loops: all must pass; a loop over a list that does not exist is left out. */
export function compileForeach(spec: JsonValue, path: JsonPath, context: CheckContext, nesting: number): Check | undefined {
  if (!isArray(spec)) return undefined;
  const loops = spec.map((entry, i) => compileLoop(entry, [...path, i], context, nesting)).filter((l) => l !== undefined);
  return (subject) => {
    let count = 0;
    const problems: string[] = [];
    for (const loop of loops) {
      let items: readonly JsonValue[] | undefined;
      try {
        items = listItems(loop.list, subject.scope);
      } catch (error) {
        // The list is optional where a path inside of it leads to nothing.
        const reason = reasonOf(error);
        if (!reason.includes("Unknown key")) problems.push(reason);
        continue;
      }
      if (items === undefined) continue;
      const result = runLoop(loop, subject, items);
      if (typeof result !== "number") return result;
      count += result;
    }
    if (count > 0) return passed("rule passed");
    const problem = problems.at(-1);
    if (problem !== undefined) return errorResult(`failed to evaluate list: ${problem}`);
    return undefined;
  };
}
