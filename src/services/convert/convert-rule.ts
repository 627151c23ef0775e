import type { Operation } from "../../core/action.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import type { KubernetesSchemas, Schema } from "../../core/schema.ts";
import { parseKindSelector } from "../../policies/kyverno/kind-selector.ts";
import { allOf, always, anyOf, type CelText, NotConvertible, not, primary } from "./cel-text.ts";
import { type ConditionScope, conditionsToCel, leavesOutDeletions } from "./conditions.ts";
import { allOperations, type ConvertedMatch, convertMatch } from "./match.ts";
import { mergePatchToCel } from "./merge-patch.ts";
import { hasConditions, patternToCel } from "./pattern.ts";

/** What every kind of CEL policy has, for one rule. */
export interface ConvertedRule {
  readonly name: string;
  readonly match: ConvertedMatch;
  readonly conditions: readonly { readonly name: string; readonly expression: string }[];
  readonly variables: readonly JsonValue[];
  readonly validations: readonly JsonObject[];
  /** Of rules that change objects instead. */
  readonly mutations: readonly JsonObject[];
  readonly auditAnnotations: readonly JsonValue[];
  /** Of `validate.cel`: only the API server's own kinds have parameters. */
  readonly params: { readonly paramKind: JsonValue; readonly paramRef: JsonValue } | undefined;
}

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);
const isFilled = (value: JsonValue | undefined): boolean =>
  isArray(value) ? value.length > 0 : isObject(value) && Object.keys(value).length > 0;

/** The schema of what the rule is about, where that is one kind. */
function schemaOf(rule: JsonObject, schemas: KubernetesSchemas): Schema | undefined {
  const blocks = [rule["match"], ...listOf(member(rule["match"], "any")), ...listOf(member(rule["match"], "all"))];
  const kinds = blocks.flatMap((block) => listOf(member(member(block, "resources"), "kinds")));
  const names = [...new Set(kinds.map((kind) => parseKindSelector(String(kind)).kind))];
  const found = names.map((kind) => {
    const known = schemas.kindsWithSchema().filter((gvk) => gvk.kind === kind);
    const stable = known.find(({ version }) => /^v\d+$/.test(version)) ?? known[0];
    return stable === undefined ? undefined : schemas.schemaFor(stable);
  });
  const [only, second] = found;
  if (second === undefined) return only;
  // Controllers share what their patterns look at: the pod template. Their first kind speaks for all.
  const template = (schema: Schema | undefined) => {
    const spec = schema === undefined ? undefined : schemas.child(schema, "spec");
    return spec === undefined ? undefined : schemas.child(spec, "template");
  };
  return found.every((schema) => template(schema) !== undefined && template(schema) === template(only)) ? only : undefined;
}

/** A message without variables stays; one with them cannot be kept word for word. */
function messageOf(message: string): string {
  return message.replace(/\{\{-?\s*(.*?)\s*\}\}/g, "<$1>").trim();
}

interface Body {
  readonly validations: readonly JsonObject[];
  readonly mutations?: readonly JsonObject[];
  readonly variables?: readonly JsonValue[];
  readonly auditAnnotations?: readonly JsonValue[];
  readonly params?: ConvertedRule["params"];
}

function validation(expression: CelText, message: string): Body {
  const text = messageOf(message);
  return { validations: [{ expression: expression.text, ...(text === "" ? {} : { message: text }) }] };
}

function celBody(cel: JsonValue, message: string): Body {
  const expressions = listOf(member(cel, "expressions")).map((one): JsonObject => {
    const given = isObject(one) ? one : {};
    const hasMessage = given["message"] !== undefined || given["messageExpression"] !== undefined;
    return hasMessage || message === "" ? given : { ...given, message };
  });
  const paramKind = member(cel, "paramKind");
  const paramRef = member(cel, "paramRef");
  return {
    validations: expressions,
    variables: listOf(member(cel, "variables")),
    auditAnnotations: listOf(member(cel, "auditAnnotations")),
    params: isObject(paramKind) && isObject(paramRef) ? { paramKind, paramRef } : undefined,
  };
}

function mutationBody(mutate: JsonObject, { schema, schemas }: ConditionScope): Body {
  const others = Object.keys(mutate).filter((key) => key !== "patchStrategicMerge" && mutate[key] !== undefined);
  if (others.length > 0) throw new NotConvertible(`mutate.${others.join(", ")} has no like`);
  const expression = mergePatchToCel(mutate["patchStrategicMerge"] ?? null, schema, schemas);
  return { validations: [], mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }] };
}

/** `request.object.spec.containers`: the list that a loop goes through. */
function loopList(list: string, scope: ConditionScope): { readonly path: string; readonly schema: Schema | undefined } {
  const steps = /^request\.object((?:\.\w+)+)(?:\[\])?$/.exec(list)?.[1]?.slice(1).split(".");
  if (steps === undefined) throw new NotConvertible(`a loop goes through ${list}`);
  let schema = scope.schema;
  for (const step of steps) schema = schema === undefined ? undefined : scope.schemas.child(schema, step);
  const [first = "", ...rest] = steps;
  return { path: `object.${[first, ...rest.map((step) => `?${step}`)].join(".")}.orValue([])`, schema };
}

function foreachBody(foreach: readonly JsonValue[], scope: ConditionScope): CelText {
  return allOf(
    ...foreach.map((entry) => {
      const others = Object.keys(isObject(entry) ? entry : {}).filter(
        (key) => !["list", "pattern", "elementScope"].includes(key),
      );
      if (others.length > 0) throw new NotConvertible(`a loop has ${others.join(", ")}`);
      const pattern = member(entry, "pattern");
      if (pattern === undefined) throw new NotConvertible("a loop has no pattern");
      if (hasConditions(pattern)) throw new NotConvertible("the pattern of a loop has conditions");
      const { path, schema } = loopList(asString(member(entry, "list")) ?? "", scope);
      const item = schema === undefined ? undefined : scope.schemas.child(schema, 0);
      const test = patternToCel(pattern, "element", item, scope.schemas);
      return primary(`${path}.all(element, ${test.text})`);
    }),
  );
}

const onlyNew: readonly Operation[] = ["CREATE", "UPDATE"];

/** Which operations a rule says anything in. */
function operationsOf(rule: JsonObject): readonly Operation[] {
  const validate = rule["validate"];
  const looksAtNew = ["pattern", "anyPattern", "foreach"].some((field) => isFilled(member(validate, field)));
  return looksAtNew || isObject(rule["mutate"]) || leavesOutDeletions(rule["preconditions"]) ? onlyNew : allOperations;
}

function bodyOf(rule: JsonObject, scope: ConditionScope): Body {
  const validate = rule["validate"];
  const mutate = rule["mutate"];
  if (isObject(mutate)) return mutationBody(mutate, scope);
  const { schema, schemas } = scope;
  const message = asString(member(validate, "message")) ?? "";
  const cel = member(validate, "cel");
  if (isObject(cel)) return celBody(cel, message);
  const pattern = member(validate, "pattern");
  if (isFilled(pattern) && pattern !== undefined) return validation(patternToCel(pattern, "object", schema, schemas), message);
  const anyPattern = listOf(member(validate, "anyPattern"));
  if (anyPattern.length > 0) {
    if (anyPattern.some(hasConditions)) throw new NotConvertible("a pattern of anyPattern has conditions");
    return validation(anyOf(...anyPattern.map((one) => patternToCel(one, "object", schema, schemas))), message);
  }
  const foreach = listOf(member(validate, "foreach"));
  if (foreach.length > 0) return validation(foreachBody(foreach, scope), message);
  const deny = member(validate, "deny");
  if (isObject(deny)) {
    const denied = conditionsToCel(deny["conditions"], scope);
    return validation(denied.text === always.text ? primary("false") : not(denied), message);
  }
  const kinds = Object.keys(isObject(validate) ? validate : rule).filter((key) => key !== "message" && key !== "name");
  throw new NotConvertible(`${isObject(validate) ? "validate." : ""}${kinds.join(", ")} has no like`);
}

const ruleFields = new Set([
  "name",
  "match",
  "exclude",
  "preconditions",
  "celPreconditions",
  "validate",
  "mutate",
  "skipBackgroundRequests",
  "context",
]);

/**
 * An enforced rule without preconditions lets objects that violate it already be updated: then the old object is asked
 * first, as a condition.
 */
function existingViolations(rule: JsonObject, enforced: boolean, body: Body, operations: readonly string[]): CelText {
  const allowed = member(rule["validate"], "allowExistingViolations") !== false;
  if (!enforced || !allowed || body.validations.length === 0 || isFilled(rule["preconditions"]) || !operations.includes("UPDATE"))
    return always;
  const expressions = body.validations.map((one) => asString(one["expression"]) ?? "");
  if ((body.variables ?? []).length > 0 || expressions.some((text) => /\boldObject\b|\bparams\b/.test(text))) {
    throw new NotConvertible(
      "updates of objects that violate it already are allowed (allowExistingViolations), which cannot be said of its expressions",
    );
  }
  const before = allOf(...expressions.map((text): CelText => ({ text: aboutOldObject(text), level: "ternary" })));
  return anyOf({ text: "request.operation != 'UPDATE'", level: "relation" }, before);
}

/** The same expression about the old object. Texts in quotes stay. */
function aboutOldObject(expression: string): string {
  const parts = expression.trim().split(/('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")/);
  return parts.map((part, i) => (i % 2 === 1 ? part : part.replace(/(?<![\w.])object\b/g, "oldObject"))).join("");
}

/**
 * A rule of a ClusterPolicy, its own or one that is generated for controllers, as the parts of a CEL policy.
 * @throws NotConvertible
 */
export function convertRule(rule: JsonObject, enforced: boolean, schemas: KubernetesSchemas): ConvertedRule {
  for (const field of Object.keys(rule)) {
    if (!ruleFields.has(field) && rule[field] !== undefined) throw new NotConvertible(`the rule has ${field}`);
  }
  if (isFilled(rule["context"])) throw new NotConvertible("the rule looks up a context");
  const validate = rule["validate"];
  for (const field of ["failureActionOverrides", "assert", "podSecurity", "manifests"]) {
    if (isFilled(member(validate, field))) throw new NotConvertible(`validate.${field} has no like`);
  }
  const match = convertMatch(rule, operationsOf(rule), schemas.resources());
  const scope: ConditionScope = { schema: schemaOf(rule, schemas), schemas, deletes: match.deletes };
  const preconditions = conditionsToCel(rule["preconditions"], scope);
  const celPreconditions = listOf(rule["celPreconditions"]).map((condition) => ({
    name: asString(member(condition, "name")) ?? "",
    expression: asString(member(condition, "expression")) ?? "",
  }));
  const body = bodyOf(rule, scope);
  const operations = match.resourceRules.flatMap((r) => listOf(r["operations"]).map(String));
  const violated = existingViolations(rule, enforced, body, operations);
  return {
    name: asString(rule["name"]) ?? "",
    match,
    conditions: [
      ...match.conditions,
      ...(preconditions.text === always.text ? [] : [{ name: "preconditions", expression: preconditions.text }]),
      ...celPreconditions,
      ...(violated.text === always.text ? [] : [{ name: "not-violated-before", expression: violated.text }]),
    ],
    variables: body.variables ?? [],
    validations: body.validations,
    mutations: body.mutations ?? [],
    auditAnnotations: body.auditAnnotations ?? [],
    params: body.params,
  };
}
