import { type Diagnostic, failed, type Loaded, loaded } from "../../core/diagnostic.ts";
import { formatGoValue } from "../../core/go-format.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { type Operator, operatorByName, replacementsOf } from "./operators.ts";
import { joinNonEmpty } from "./outcome.ts";
import type { VariableScope } from "./variable-scope.ts";
import { compileTemplate, type Template } from "./variables.ts";

export interface ConditionResult {
  readonly met: boolean;
  /** The messages of the conditions that decided, joined as Kyverno does; empty where they have none. */
  readonly message: string;
}

/** Evaluates conditions. @throws VariableError where a variable cannot be resolved, as Kyverno then reports an error */
export type ConditionsProgram = (scope: VariableScope) => ConditionResult;

const always: ConditionsProgram = () => ({ met: true, message: "" });

/**
 * Compiles `preconditions` or `deny.conditions` in any of their forms: `{any, all}`, a list of those (all must hold), or
 * the old list of conditions (all must hold). Absent conditions hold.
 */
export function compileConditions(spec: JsonValue | undefined): Loaded<ConditionsProgram> {
  const diagnostics: Diagnostic[] = [];
  const conditions = compileForm(spec, diagnostics);
  return conditions === undefined ? failed(...diagnostics) : loaded(conditions, diagnostics);
}

/**
 * Compiles the conditions of an exception or a cleanup policy: an empty `any` asks for nothing there, where in a rule it
 * never holds.
 */
export function compileOwnConditions(spec: JsonValue): Loaded<ConditionsProgram> {
  const any = member(spec, "any");
  if (!isObject(spec) || !isArray(any) || any.length > 0) return compileConditions(spec);
  const { any: _empty, ...others } = spec;
  return compileConditions(others);
}

function compileForm(spec: JsonValue | undefined, diagnostics: Diagnostic[]): ConditionsProgram | undefined {
  if (spec === undefined || spec === null) return always;
  if (isObject(spec)) return compileAnyAll(spec, diagnostics);
  if (!isArray(spec)) return refuse(diagnostics, `conditions must be an object or a list, not ${formatGoValue(spec)}`);
  const compiled = spec.map((item) =>
    isObject(item) && (item["any"] !== undefined || item["all"] !== undefined)
      ? compileAnyAll(item, diagnostics)
      : compileCondition(item, diagnostics),
  );
  const all = compiled.filter((c) => c !== undefined);
  return all.length === compiled.length ? allOf(all, ";") : undefined;
}

function compileAnyAll(spec: JsonObject, diagnostics: Diagnostic[]): ConditionsProgram | undefined {
  const unknown = Object.keys(spec).find((key) => key !== "any" && key !== "all");
  if (unknown !== undefined) return refuse(diagnostics, `conditions have no field ${JSON.stringify(unknown)}`);
  const any = compileList(spec["any"], diagnostics);
  const all = compileList(spec["all"], diagnostics);
  if (any === "invalid" || all === "invalid") return undefined;
  return (scope) => evaluateAnyAll(any, all ?? [], scope);
}

function compileList(
  list: JsonValue | undefined,
  diagnostics: Diagnostic[],
): readonly ConditionsProgram[] | undefined | "invalid" {
  if (list === undefined || list === null) return undefined;
  if (!isArray(list)) {
    refuse(diagnostics, `any and all are lists of conditions, not ${formatGoValue(list)}`);
    return "invalid";
  }
  const compiled = list.map((item) => compileCondition(item, diagnostics));
  const sound = compiled.filter((c) => c !== undefined);
  return sound.length === compiled.length ? sound : "invalid";
}

/** All conditions of `all` are asked even where none of `any` held: their messages belong to the answer. */
function evaluateAnyAll(
  any: readonly ConditionsProgram[] | undefined,
  all: readonly ConditionsProgram[],
  scope: VariableScope,
): ConditionResult {
  const asked: ConditionResult[] = [];
  const ask = (condition: ConditionsProgram): boolean => {
    const result = condition(scope);
    asked.push(result);
    return result.met;
  };
  const anyMet = any?.some(ask) ?? true;
  const met = all.every(ask) && anyMet;
  const texts = asked.filter((result) => result.met === met).map(({ message }) => message);
  return { met, message: joinNonEmpty(texts, "; ") };
}

function allOf(conditions: readonly ConditionsProgram[], separator: string): ConditionsProgram {
  return (scope) => {
    const messages: string[] = [];
    for (const condition of conditions) {
      const result = condition(scope);
      if (!result.met) return result;
      messages.push(result.message);
    }
    return { met: true, message: joinNonEmpty(messages, separator) };
  };
}

const fields = ["key", "operator", "value", "message"];

function compileCondition(spec: JsonValue, diagnostics: Diagnostic[]): ConditionsProgram | undefined {
  if (!isObject(spec)) return refuse(diagnostics, `a condition must be an object, not ${formatGoValue(spec)}`);
  const unknown = Object.keys(spec).find((key) => !fields.includes(key));
  if (unknown !== undefined) return refuse(diagnostics, `a condition has no field ${JSON.stringify(unknown)}`);
  const name = asString(member(spec, "operator")) ?? "";
  const operator = operatorByName(name);
  if (operator === undefined) return refuse(diagnostics, `operator ${JSON.stringify(name)} does not exist`);
  const instead = replacementsOf(name);
  if (instead.length > 0) {
    const message = `operator ${name} is deprecated, use ${instead.join(" or ")}`;
    diagnostics.push({ code: "KYV_DEPRECATED", severity: "warning", message });
  }
  const key = compileTemplate(spec["key"] ?? null);
  const value = compileTemplate(spec["value"] ?? null);
  diagnostics.push(...key.diagnostics, ...value.diagnostics);
  if (!key.ok || !value.ok) return undefined;
  return compare(operator, key.value, value.value, asString(spec["message"]) ?? "");
}

function compare(operator: Operator, key: Template, value: Template, message: string): ConditionsProgram {
  return (scope) => ({ met: operator(key.substitute(scope), value.substitute(scope)), message });
}

function refuse(diagnostics: Diagnostic[], message: string): undefined {
  diagnostics.push({ code: "KYV_CONDITION", severity: "error", message });
  return undefined;
}
