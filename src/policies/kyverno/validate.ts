import { asString, isArray, isObject, type JsonPath, type JsonValue, member, toPointer } from "../../core/json.ts";
import type { RuleResult } from "../policy.ts";
import { pathOfPart, resolvePatternPath } from "./blame.ts";
import { type ConditionResult, type ConditionsProgram, compileConditions } from "./conditions.ts";
import { errorResult, failedWith, joinNonEmpty, passed, reasonOf, skipped } from "./outcome.ts";
import { compilePattern, type PatternProgram, type PatternResult } from "./pattern.ts";
import type { DocumentReport } from "./report.ts";
import type { PolicySource, RuleScope, RuleSource } from "./rule-types.ts";
import { compileForeach } from "./validate-foreach.ts";
import { withIntegers } from "./value-pattern.ts";
import { compileTemplate, type Template } from "./variables.ts";

/** What a check looks at: the scope of its variables, and in a loop the element that patterns are matched against. */
export interface Subject {
  readonly scope: RuleScope;
  readonly element: JsonValue | undefined;
}

/** One check of a validate rule; undefined when there is nothing to report. */
export type Check = (subject: Subject) => RuleResult | undefined;

/** What the checks of a rule have in common. */
export interface CheckContext {
  readonly rule: string;
  readonly message: Message;
  readonly policy: PolicySource;
  readonly report: DocumentReport;
}

/** `validate.message`, before and after its variables are substituted. */
interface Message {
  readonly text: string;
  readonly template: Template | undefined;
}

export const isPresent = (value: JsonValue | undefined): value is JsonValue => value !== undefined && value !== null;

function compileMessage(text: string, path: JsonPath, report: DocumentReport): Message {
  if (text === "") return { text, template: undefined };
  const compiled = compileTemplate(text);
  report.adopt(compiled.diagnostics, path);
  return { text, template: compiled.ok ? compiled.value : undefined };
}

/** The substituted message. @throws VariableError */
function messageText(message: Message, scope: RuleScope): string {
  const value = message.template?.substitute(scope) ?? message.text;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Where the failure of a pattern lies in the object under review. */
function blame({ scope, element }: Subject, target: JsonValue, path: string): JsonPath | undefined {
  const inTarget = resolvePatternPath(target, path);
  if (element === undefined) return inTarget;
  const place = pathOfPart(scope.context.object, element);
  return place === undefined ? undefined : [...place, ...inTarget];
}

function describeFailure(context: CheckContext, scope: RuleScope, path: string, reason: { readonly message: string }): string {
  const { rule, message } = context;
  const where = path === "" ? `execution error: ${reason.message}` : `failed at path ${path}`;
  if (message.text === "") return `validation error: rule ${rule} ${where}`;
  let text: string;
  try {
    text = messageText(message, scope);
  } catch (error) {
    reasonOf(error);
    return `validation error: variables substitution error in rule ${rule} execution error: ${reason.message}`;
  }
  return `validation error: ${text.endsWith(".") ? text : `${text}.`} rule ${rule} ${where}`;
}

/** Patterns are matched against the element of a loop, or else the object, which a deleted one is not. */
function targetOf({ scope, element }: Subject): JsonValue | undefined {
  if (element !== undefined) return element;
  return scope.context.action.operation === "DELETE" ? undefined : scope.context.object;
}

function patternOutcome(context: CheckContext, subject: Subject, target: JsonValue, result: PatternResult): RuleResult {
  switch (result.status) {
    case "pass":
      return passed(`validation rule '${context.rule}' passed.`);
    case "skip":
      return skipped(result.message);
    case "error":
      return errorResult(describeFailure(context, subject.scope, "", result));
    case "fail":
      return {
        ...failedWith(describeFailure(context, subject.scope, result.path, result)),
        locate: () => blame(subject, target, result.path),
      };
  }
}

/** Turns a pattern with variables into a program for one scope; without variables it is made once. */
type PatternSource = (scope: RuleScope) => PatternProgram;

function compilePatternSource(pattern: JsonValue, path: JsonPath, report: DocumentReport): PatternSource | undefined {
  const compiled = compileTemplate(pattern, toPointer(path));
  report.adopt(compiled.diagnostics, path);
  if (!compiled.ok) return undefined;
  const template = compiled.value;
  if (!template.constant) return (scope) => compilePattern(template.substitute(scope));
  let program: PatternProgram | undefined;
  return (scope) => {
    program ??= compilePattern(template.substitute(scope));
    return program;
  };
}

function compilePatternCheck(pattern: JsonValue, path: JsonPath, context: CheckContext): Check | undefined {
  const source = compilePatternSource(withIntegers(pattern), path, context.report);
  if (source === undefined) return undefined;
  return (subject) => {
    let program: PatternProgram;
    try {
      program = source(subject.scope);
    } catch (error) {
      return errorResult(`variable substitution failed: ${reasonOf(error)}`);
    }
    const target = targetOf(subject);
    return target === undefined ? undefined : patternOutcome(context, subject, target, program(target));
  };
}

function describeAnyFailure({ rule, message }: CheckContext, scope: RuleScope, reasons: string): string {
  if (message.text === "") return `validation error: ${reasons}`;
  try {
    const text = messageText(message, scope);
    return `validation error: ${text.endsWith(".") ? text : `${text}.`} ${reasons}`;
  } catch (error) {
    reasonOf(error);
    return `validation error: variables substitution error in rule ${rule} execution error: ${reasons}`;
  }
}

function anyPatternOutcome(
  context: CheckContext,
  subject: Subject,
  target: JsonValue,
  programs: readonly PatternProgram[],
): RuleResult {
  const { rule } = context;
  const skips: string[] = [];
  const failures: string[] = [];
  const paths: string[] = [];
  for (const [i, program] of programs.entries()) {
    const result = program(target);
    if (result.status === "pass") return passed(`validation rule '${rule}' anyPattern[${i}] passed.`);
    if (result.status === "skip") skips.push(`rule ${rule}[${i}] skipped: ${result.message}`);
    else if (result.status === "error") failures.push(`rule ${rule}[${i}] failed: ${result.message}`);
    else {
      failures.push(`rule ${rule}[${i}] failed at path ${result.path}`);
      paths.push(result.path);
    }
  }
  if (failures.length > 0) {
    const [path] = paths;
    return {
      ...failedWith(describeAnyFailure(context, subject.scope, failures.join(" "))),
      locate: () => (path === undefined ? undefined : blame(subject, target, path)),
    };
  }
  return skips.length > 0 ? skipped(skips.join(" ")) : passed(context.message.text);
}

function compileAnyPattern(patterns: JsonValue, path: JsonPath, context: CheckContext): Check | undefined {
  if (!isArray(patterns)) {
    context.report.error("KYV_BAD_RULE", path, "anyPattern must be a list of patterns");
    return undefined;
  }
  const sources = patterns.map((pattern, i) => compilePatternSource(pattern, [...path, i], context.report));
  return (subject) => {
    const programs: PatternProgram[] = [];
    try {
      for (const source of sources) if (source !== undefined) programs.push(source(subject.scope));
    } catch (error) {
      return errorResult(`variable substitution failed: ${reasonOf(error)}`);
    }
    const target = targetOf(subject);
    return target === undefined ? undefined : anyPatternOutcome(context, subject, target, programs);
  };
}

function denyMessage({ rule, message }: CheckContext, scope: RuleScope, conditionsMessage: string): string {
  if (message.text === "" && conditionsMessage === "") return `validation error: rule ${rule} failed`;
  try {
    if (conditionsMessage === "") return messageText(message, scope);
    const joined = compileTemplate(joinNonEmpty([message.text, conditionsMessage], "; "));
    const text = joined.ok ? joined.value.substitute(scope) : conditionsMessage;
    return typeof text === "string" ? text : JSON.stringify(text);
  } catch (error) {
    reasonOf(error);
    return conditionsMessage === "" ? `validation error: rule ${rule} failed` : conditionsMessage;
  }
}

function compileDeny(deny: JsonValue, path: JsonPath, context: CheckContext): Check | undefined {
  const compiled = compileConditions(member(deny, "conditions"));
  context.report.adopt(compiled.diagnostics, [...path, "conditions"]);
  if (!compiled.ok) return undefined;
  const conditions: ConditionsProgram = compiled.value;
  return ({ scope, element }) => {
    let denied: ConditionResult;
    try {
      denied = conditions(scope);
    } catch (error) {
      return errorResult(`failed to check deny conditions: ${reasonOf(error)}`);
    }
    if (!denied.met) return passed(`validation rule '${context.rule}' passed.`);
    const result = failedWith(denyMessage(context, scope, denied.message));
    return element === undefined ? result : { ...result, locate: () => pathOfPart(scope.context.object, element) };
  };
}

/**
 * Compiles `deny`, `pattern`, `anyPattern` or `foreach` of a validate block or of a loop in it, the first that is there.
 * Undefined where there is none of them, or where it is wrong (which is reported). `nesting` is how many loops are around.
 */
export function compileCheck(block: JsonValue, path: JsonPath, context: CheckContext, nesting = 0): Check | undefined {
  const deny = member(block, "deny");
  if (isPresent(deny)) return compileDeny(deny, [...path, "deny"], context);
  const pattern = member(block, "pattern");
  if (isPresent(pattern)) return compilePatternCheck(pattern, [...path, "pattern"], context);
  const anyPattern = member(block, "anyPattern");
  if (isPresent(anyPattern)) return compileAnyPattern(anyPattern, [...path, "anyPattern"], context);
  const foreach = member(block, "foreach");
  return isPresent(foreach) ? compileForeach(foreach, [...path, "foreach"], context, nesting) : undefined;
}

/** Compiles the declarative part of a validate rule; its problems go to the report. */
export function compileValidate(rule: RuleSource, report: DocumentReport): Check | undefined {
  const validate = rule.spec["validate"];
  if (!isObject(validate)) return undefined;
  const path = [...rule.path, "validate"];
  const text = asString(validate["message"]) ?? "";
  const message = compileMessage(text, [...path, "message"], report);
  return compileCheck(validate, path, { rule: rule.name, message, policy: rule.policy, report });
}
