import { quoteGo } from "../../../core/go-quote.ts";
import { isArray, isObject, type JsonObject, type JsonValue } from "../../../core/json.ts";
import { encodeUtf8 } from "../../../core/utf8.ts";
import type { Activation } from "../compile/frame.ts";
import { perCallLimit } from "../libraries/kubernetes/environment.ts";
import type { Program } from "../program.ts";
import { displayValue } from "../values/format.ts";
import { CelError, Failure, Optional } from "../values/value.ts";
import { Correlated, elementsByKey } from "./correlation.ts";
import type { CompiledRule } from "./rules.ts";
import { type CelSchema, type Resolve, selfContained, type ValidationRule, withTypeAndName } from "./schema.ts";
import { typedValue } from "./typed-values.ts";
import type { RuleNode } from "./validator.ts";

/** An error of an API server about one field. */
export interface Violation {
  readonly type: "Invalid value" | "Forbidden" | "Required value" | "Duplicate value" | "Internal error";
  /** `spec.list[0].name` */
  readonly path: string;
  /** Undefined where the error does not show it. */
  readonly value: JsonValue | undefined;
  readonly detail: string;
}

export interface RuleResult {
  readonly violations: readonly Violation[];
  /** Violations of rules whose value did not change. */
  readonly warnings: readonly Violation[];
  /** Negative once the budget is spent: rules were left out. */
  readonly remainingBudget: number;
}

export interface ValidateOptions {
  /** Where the value stands; empty for a whole object. */
  readonly path?: string;
  /** What all rules together may cost. */
  readonly budget?: number;
  readonly perCallLimit?: number;
  /** Whether violations where nothing changed are warnings. */
  readonly ratcheting?: boolean;
  readonly resolve?: Resolve;
}

/** What all rules of one object may cost. */
export const ruleBudget = 10_000_000;
const maxMessage = 5 * 1024;
const exhausted = "validation failed due to running out of cost budget, no further validation rules will be run";

/** Evaluates all rules on an object; those that compare only where there is something from before. */
export function validateRules(
  node: RuleNode,
  object: JsonValue,
  before: JsonValue | undefined,
  options: ValidateOptions = {},
): RuleResult {
  const { path = "", budget = ruleBudget, ratcheting = false, resolve = selfContained } = options;
  const run = new Run(options.perCallLimit ?? perCallLimit, budget, resolve);
  const current = ratcheting ? new Correlated(object, before ?? null, node.schema, resolve) : undefined;
  run.node(node, { path, value: object, before: before ?? undefined, current, nearest: undefined });
  return { violations: run.violations, warnings: run.warnings, remainingBudget: run.budget };
}

/** The error as an API server prints it. */
export function formatViolation({ type, path, value, detail }: Violation): string {
  const shown = value === undefined ? "" : `: ${typeof value === "string" ? quoteGo(value) : JSON.stringify(value)}`;
  return `${path}: ${type}${shown}${detail === "" ? "" : `: ${detail}`}`;
}

/** A value to judge, and what it was. */
interface Place {
  readonly path: string;
  readonly value: JsonValue;
  readonly before: JsonValue | undefined;
  readonly current: Correlated | undefined;
  /** The nearest value above that can be compared with what it was. */
  readonly nearest: Correlated | undefined;
}

function isUnchanged({ current, nearest }: Place): boolean {
  return (current ?? nearest)?.isUnchanged() === true;
}

function child(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function ruleText({ rule, message = "" }: ValidationRule): string {
  return (message === "" ? rule : message).trim();
}

/** The message of a message expression, or why there is none. */
type Message = { readonly text: string } | { readonly fatal: string } | undefined;

class Run {
  readonly violations: Violation[] = [];
  readonly warnings: Violation[] = [];
  budget: number;
  readonly #limit: number;
  readonly #resolve: Resolve;

  constructor(limit: number, budget: number, resolve: Resolve) {
    this.#limit = limit;
    this.budget = budget;
    this.#resolve = resolve;
  }

  node(node: RuleNode, place: Place): void {
    const { value, before } = place;
    if (value === null) return;
    this.#rules(node, place);
    if (this.budget < 0) return;
    for (const part of node.allOf) {
      this.node(part, { ...place, current: undefined });
      if (this.budget < 0) return;
    }
    if (isArray(value)) this.#elements(node, value, place);
    else if (isObject(value)) this.#members(node, value, isObject(before) ? before : undefined, place);
  }

  #elements(node: RuleNode, value: readonly JsonValue[], place: Place): void {
    if (node.items === undefined) return;
    const find = elementsByKey(node.schema, place.before);
    for (const [i, element] of value.entries()) {
      const below = place.current === undefined ? place : { current: place.current.index(i), nearest: place.current };
      this.node(node.items, { ...place, ...below, path: `${place.path}[${i}]`, value: element, before: find(element) });
      if (this.budget < 0) return;
    }
  }

  #members(node: RuleNode, value: JsonObject, before: JsonObject | undefined, place: Place): void {
    const mapType: string = node.schema["x-kubernetes-map-type"] ?? "granular";
    const correlatable = mapType === "granular" || mapType === "atomic";
    for (const [name, member] of Object.entries(value)) {
      const property = node.properties.get(name);
      const below = property ?? node.values;
      if (below === undefined || member === undefined) continue;
      this.node(below, {
        ...memberCorrelation(place, name),
        path: property === undefined ? `${place.path}[${name}]` : child(place.path, name),
        value: member,
        before: correlatable ? before?.[name] : undefined,
      });
      if (this.budget < 0) return;
    }
  }

  #report(violation: Violation, asWarning = false): void {
    (asWarning ? this.warnings : this.violations).push(violation);
  }

  #invalid(path: string, schema: CelSchema, detail: string): void {
    this.#report({ type: "Invalid value", path, value: schema.type ?? "", detail });
  }

  #rules(node: RuleNode, place: Place): void {
    const { path } = place;
    const schema = node.isRoot ? withTypeAndName(this.#resolve(node.schema)) : node.schema;
    if (typeof node.rules === "string") {
      this.#invalid(path, schema, `rule compiler initialization error: ${node.rules}`);
      return;
    }
    if (node.rules.length === 0) return;
    if (this.budget <= 0) {
      this.#invalid(path, schema, exhausted);
      this.budget = -1;
      return;
    }
    const values = this.#activations(node.rules, schema, place);
    for (const compiled of node.rules) {
      this.#rule(compiled, schema, place, values);
      if (this.budget < 0) return;
    }
  }

  #activations(rules: readonly CompiledRule[], schema: CelSchema, { value, before }: Place): readonly [Activation, Activation] {
    const self = typedValue(value, schema, this.#resolve);
    if (!rules.some((rule) => rule.usesOldSelf)) return [{ self }, { self }];
    if (before === undefined || before === null) return [{ self }, { self, oldSelf: Optional.none }];
    const oldSelf = typedValue(before, schema, this.#resolve);
    return [
      { self, oldSelf },
      { self, oldSelf: oldSelf instanceof Failure ? oldSelf : new Optional(oldSelf) },
    ];
  }

  #rule(compiled: CompiledRule, schema: CelSchema, place: Place, [plain, optional]: readonly [Activation, Activation]): void {
    const { rule, program, error } = compiled;
    if (error !== undefined) this.#invalid(place.path, schema, `rule compile error: ${error}`);
    const isOptional = rule.optionalOldSelf === true;
    const hasBefore = place.before !== undefined && place.before !== null;
    if (program === undefined || (compiled.usesOldSelf && !hasBefore && !isOptional)) return;
    const { value, cost, exceeded } = program.evaluate(isOptional ? optional : plain, undefined, this.#limit);
    if (!this.#spend(cost)) this.#invalid(place.path, schema, exhausted);
    else if (exceeded) {
      const reason = "no further validation rules will be run due to call cost exceeds limit for rule";
      this.#invalid(place.path, schema, `'${displayValue(value)}': ${reason}: ${ruleText(rule)}`);
      this.budget = -1;
    } else if (value instanceof Failure) this.#invalid(place.path, schema, describeFailure(value, rule));
    else if (value !== true) this.#violated(compiled, schema, place, plain);
  }

  /** Whether the budget allows it. */
  #spend(cost: number): boolean {
    this.budget = cost > this.budget ? -1 : this.budget - cost;
    return this.budget >= 0;
  }

  #violated(compiled: CompiledRule, schema: CelSchema, place: Place, variables: Activation): void {
    const { rule, fieldPath, usesOldSelf } = compiled;
    const path = fieldPath === "" ? place.path : child(place.path, fieldPath);
    const asWarning = !usesOldSelf && isUnchanged(place);
    const message = compiled.message === undefined ? undefined : this.#message(compiled.message, rule, variables);
    if (message !== undefined && "fatal" in message) {
      this.#report({ type: "Invalid value", path, value: schema.type ?? "", detail: message.fatal }, asWarning);
      this.budget = -1;
      return;
    }
    const given = rule.message === undefined || rule.message === "" ? undefined : rule.message.trim();
    const detail = message?.text ?? given ?? `failed rule: ${ruleText(rule)}`;
    const value = schema.type === "object" || schema.type === "array" ? undefined : place.value;
    this.#report(violationOf(path, value, detail, rule.reason), asWarning);
  }

  #message(program: Program, rule: ValidationRule, variables: Activation): Message {
    const { value, cost, exceeded } = program.evaluate(variables, undefined, this.#limit);
    if (cost > this.budget) {
      return {
        fatal: "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run",
      };
    }
    if (exceeded) {
      const source = quoteGo(rule.messageExpression ?? "");
      return { fatal: `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${source}` };
    }
    this.budget -= cost;
    if (typeof value !== "string") return undefined;
    const text = value.trim();
    return text === "" || text.includes("\n") || encodeUtf8(text).length > maxMessage ? undefined : { text };
  }
}

/** The type and version of an object are converted before they are compared: changes of them do not show. */
function memberCorrelation(place: Place, name: string): Place {
  const { current, nearest } = place;
  if (current === undefined) return place;
  if (nearest === undefined && (name === "apiVersion" || name === "kind")) return { ...place, current: undefined };
  return { ...place, current: current.key(name), nearest: current };
}

function describeFailure(failure: Failure, rule: ValidationRule): string {
  const message = failure instanceof CelError ? failure.message : "outside data is missing";
  if (!message.startsWith("no such overload")) return `${message} evaluating rule: ${ruleText(rule)}`;
  return `'${message}': call arguments did not match a supported operator, function or macro signature for rule: ${ruleText(rule)}`;
}

function violationOf(path: string, value: JsonValue | undefined, detail: string, reason: string | undefined): Violation {
  switch (reason) {
    case "FieldValueForbidden":
      return { type: "Forbidden", path, value: undefined, detail };
    case "FieldValueRequired":
      return { type: "Required value", path, value: undefined, detail };
    case "FieldValueDuplicate":
      return { type: "Duplicate value", path, value, detail: "" };
    default:
      return { type: "Invalid value", path, value, detail };
  }
}
