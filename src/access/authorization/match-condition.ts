import { isArray, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import type { Expr } from "../../languages/cel/ast.ts";
import { check } from "../../languages/cel/checker.ts";
import type { StructDeclaration } from "../../languages/cel/declarations.ts";
import { type Env, variable } from "../../languages/cel/env.ts";
import { formatIssues } from "../../languages/cel/issue.ts";
import { kubernetesEnvironments, perCallLimit } from "../../languages/cel/libraries/kubernetes/environment.ts";
import { parse } from "../../languages/cel/parser.ts";
import { compile } from "../../languages/cel/program.ts";
import { type CelType, formatType, listOf, mapOf, stringType, structType } from "../../languages/cel/types.ts";
import { CelError } from "../../languages/cel/values/value.ts";
import { walkExpr } from "../../languages/cel/walk.ts";

/** The minor version of Kubernetes whose API server is followed. */
const kubernetesMinor = 36;

const strings = listOf(stringType);

function struct(name: string, fields: { readonly [field: string]: CelType }): StructDeclaration {
  const known = new Map(Object.entries(fields));
  return { type: structType(`kubernetes.${name}`), field: (field) => known.get(field) };
}

const requirement = struct("SelectorRequirement", { key: stringType, operator: stringType, values: strings });
const selector = { rawSelector: stringType, requirements: listOf(requirement.type) };
const fieldSelector = struct("FieldSelectorAttributes", selector);
const labelSelector = struct("LabelSelectorAttributes", selector);
const nonResource = struct("NonResourceAttributes", { path: stringType, verb: stringType });
const resourceFields = ["namespace", "verb", "group", "version", "resource", "subresource", "name"] as const;
const resource = struct("ResourceAttributes", {
  ...Object.fromEntries(resourceFields.map((field) => [field, stringType])),
  fieldSelector: fieldSelector.type,
  labelSelector: labelSelector.type,
});
const spec = struct("SubjectAccessReviewSpec", {
  resourceAttributes: resource.type,
  nonResourceAttributes: nonResource.type,
  user: stringType,
  groups: strings,
  extra: mapOf(stringType, strings),
  uid: stringType,
});

let shared: Env | undefined;

function environment(): Env {
  shared ??= kubernetesEnvironments(kubernetesMinor, kubernetesMinor).storedExpressions.extend({
    structs: [requirement, fieldSelector, labelSelector, nonResource, resource, spec],
    variables: [variable("request", spec.type)],
  });
  return shared;
}

/** Whether a review (a SubjectAccessReviewSpec) matches; an error is neither. */
export type Match = { readonly ok: true; readonly matches: boolean } | { readonly ok: false; readonly message: string };

export type MatchCondition =
  | { readonly ok: true; readonly evaluate: (review: JsonObject) => Match }
  | { readonly ok: false; readonly message: string };

/** Compiles a match condition of an authorization webhook. Source: apiserver pkg/authorization/cel. */
export function compileMatchCondition(source: string): MatchCondition {
  const env = environment();
  const failed = (message: string) => ({ ok: false, message: `compilation failed: ${message}` }) as const;
  const parsed = parse(source, env.syntax);
  if (!parsed.ok) return failed(formatIssues(source, parsed.issues));
  const typed = check(parsed.value, env);
  if (!typed.ok) return failed(formatIssues(source, typed.issues));
  const type = formatType(typed.value.resultType);
  if (type !== "bool") return { ok: false, message: `must evaluate to bool but got ${type}` };
  const program = compile(typed.value, env);
  if (!program.ok) return { ok: false, message: `program instantiation failed: ${formatIssues(source, program.issues)}` };
  const used = selectedFields(typed.value.root);
  const evaluate = (review: JsonObject): Match => {
    const { value } = program.value.evaluate({ request: shownReview(review, used) }, undefined, perCallLimit);
    if (typeof value === "boolean") return { ok: true, matches: value };
    const why = value instanceof CelError ? `resulted in error: ${value.message}` : "eval result type should be bool";
    return { ok: false, message: `cel evaluation error: expression '${source}' ${why}` };
  };
  return { ok: true, evaluate };
}

/** Names selected with `.x` or `.?x` anywhere: selectors are shown only to expressions that name them. */
function selectedFields(root: Expr): ReadonlySet<string> {
  const fields = new Set<string>();
  walkExpr(root, (expr) => {
    if (expr.kind === "select") fields.add(expr.field);
    const [, name] = expr.kind === "call" && expr.function === "_?._" ? expr.args : [];
    if (name?.kind === "literal" && typeof name.value === "string") fields.add(name.value);
  });
  return fields;
}

/** Strings that are absent are shown as empty ones; attributes and selectors only where they are. */
function shownReview(review: JsonObject, used: ReadonlySet<string>): JsonObject {
  const text = (of: JsonValue | undefined, key: string) => member(of, key) ?? "";
  const attributes = member(review, "resourceAttributes");
  const path = member(review, "nonResourceAttributes");
  const selectors = (["fieldSelector", "labelSelector"] as const).flatMap((name) => {
    const shown = used.has(name) ? shownSelector(member(attributes, name)) : undefined;
    return shown === undefined ? [] : [[name, shown] as const];
  });
  return {
    user: text(review, "user"),
    groups: member(review, "groups") ?? [],
    uid: text(review, "uid"),
    extra: member(review, "extra") ?? {},
    ...(attributes === undefined
      ? {}
      : {
          resourceAttributes: {
            ...Object.fromEntries(resourceFields.map((field) => [field, text(attributes, field)])),
            ...Object.fromEntries(selectors),
          },
        }),
    ...(path === undefined ? {} : { nonResourceAttributes: { verb: text(path, "verb"), path: text(path, "path") } }),
  };
}

/** A raw selector hides the requirements. */
function shownSelector(given: JsonValue | undefined): JsonObject | undefined {
  const raw = member(given, "rawSelector");
  if (typeof raw === "string" && raw !== "") return { rawSelector: raw };
  const requirements = member(given, "requirements");
  if (!isArray(requirements) || requirements.length === 0) return undefined;
  return {
    requirements: requirements.map((r) => ({
      key: member(r, "key") ?? "",
      operator: member(r, "operator") ?? "",
      values: member(r, "values") ?? [],
    })),
  };
}
