import { isObject, type JsonValue, member } from "../../core/json.ts";
import { andList, orList } from "./explanation.ts";
import { labelled, strings } from "./kyverno-match.ts";

/** `matchConstraints` of a policy in CEL, one text for each rule of resources. */
export function constraintWords(constraints: JsonValue | undefined): readonly string[] {
  const where = [
    ...labelled(member(constraints, "namespaceSelector"), "in namespaces labelled"),
    ...labelled(member(constraints, "objectSelector"), "labelled"),
  ];
  return rulesOf(constraints, "resourceRules").map((rule) => [resourceWords(rule), ...where].join(" "));
}

/** What `excludeResourceRules` takes back. */
export function excludedWords(constraints: JsonValue | undefined): readonly string[] {
  return rulesOf(constraints, "excludeResourceRules").map(resourceWords);
}

function rulesOf(constraints: JsonValue | undefined, field: string): readonly JsonValue[] {
  const rules = member(constraints, field);
  return Array.isArray(rules) ? rules.filter(isObject) : [];
}

function resourceWords(rule: JsonValue): string {
  const resources = strings(member(rule, "resources")).map((r) => (r === "*" || r === "*/*" ? "any resource" : r));
  const groups = strings(member(rule, "apiGroups")).map((group) => (group === "*" ? "any group" : group));
  const versions = strings(member(rule, "apiVersions")).filter((version) => version !== "*");
  const apis = groups.filter((group) => group !== "").map((group) => (group === "any group" ? "of any group" : `of ${group}`));
  const names = strings(member(rule, "resourceNames"));
  const operations = strings(member(rule, "operations")).filter((operation) => operation !== "*");
  const scope = member(rule, "scope");
  return [
    orList(resources),
    ...(apis.length > 0 ? [orList(apis)] : []),
    ...(versions.length > 0 ? [`in version ${orList(versions)}`] : []),
    ...(names.length > 0 ? [`named ${orList(names)}`] : []),
    ...(scope === "Cluster" ? ["without a namespace"] : scope === "Namespaced" ? ["in namespaces"] : []),
    operations.length > 0 ? `on ${orList(operations)}` : "on any operation",
  ].join(" ");
}

/** `name: expression` of match conditions, variables and the like. */
export function namedExpressions(list: JsonValue | undefined): readonly string[] {
  if (!Array.isArray(list)) return [];
  return list.filter(isObject).map((entry) => {
    const name = entry["name"];
    const expression = expressionWords(entry["expression"]);
    return typeof name === "string" && name !== "" ? `${name}: ${expression}` : expression;
  });
}

/** An expression on one line, as code. */
export function expressionWords(expression: JsonValue | undefined): string {
  return `\`${String(expression ?? "")
    .trim()
    .replace(/\s+/g, " ")}\``;
}

/** `the request is refused (Deny) and an audit annotation is written (Audit)` */
export function actionWords(actions: JsonValue | undefined, otherwise: string): string {
  const words = strings(actions).map((action) => validationActions[action] ?? action);
  return words.length === 0 ? otherwise : andList(words);
}

const validationActions: { readonly [action: string]: string } = {
  Deny: "the request is refused (Deny)",
  Warn: "whoever asks is warned (Warn)",
  Audit: "it is reported (Audit)",
};
