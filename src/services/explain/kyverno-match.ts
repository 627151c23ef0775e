import { isArray, isObject, type JsonValue, member } from "../../core/json.ts";
import { andList, orList } from "./explanation.ts";

/** A match or exclude block in words, one text per alternative; none where the block names nothing. */
export function matchWords(block: JsonValue | undefined): readonly string[] {
  const any = member(block, "any");
  if (isArray(any) && any.length > 0) return any.map(filterWords).filter((w) => w !== "");
  const all = member(block, "all");
  const filters = isArray(all) && all.length > 0 ? all : [block ?? {}];
  const words = filters.map(filterWords).filter((w) => w !== "");
  return words.length === 0 ? [] : [words.join(", and at the same time ")];
}

/** One filter: everything in it must hold. */
function filterWords(filter: JsonValue): string {
  const resources = member(filter, "resources");
  const kinds = strings(member(resources, "kinds"));
  const names = [...strings(member(resources, "names")), ...text(member(resources, "name"))];
  const who = userWords(filter);
  const parts = [
    kinds.length > 0 ? orList(kinds.map((k) => (k === "*" || k === "*/*" ? "any kind" : k))) : "",
    names.length > 0 ? `named ${orList(names)}` : "",
    ...inNamespaces(resources),
    ...labelled(member(resources, "selector"), "labelled"),
    ...annotated(member(resources, "annotations")),
  ].filter((p) => p !== "");
  const what = parts.length > 0 && kinds.length === 0 ? ["any kind", ...parts] : parts;
  const operations = strings(member(resources, "operations"));
  const on = operations.length > 0 ? [`on ${orList(operations)}`] : [];
  return [...what, ...on, ...(who === "" ? [] : [what.length === 0 ? `anything by ${who}` : `by ${who}`])].join(" ");
}

function inNamespaces(resources: JsonValue | undefined): readonly string[] {
  const namespaces = strings(member(resources, "namespaces"));
  const names = namespaces.length > 0 ? [`in namespace ${orList(namespaces)}`] : [];
  return [...names, ...labelled(member(resources, "namespaceSelector"), "in namespaces labelled")];
}

export function labelled(selector: JsonValue | undefined, lead: string): readonly string[] {
  const labels = member(selector, "matchLabels");
  const expressions = member(selector, "matchExpressions");
  const words = [
    ...(isObject(labels) ? Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`) : []),
    ...(isArray(expressions) ? expressions.map(expressionWords) : []),
  ];
  return words.length === 0 ? [] : [`${lead} ${andList(words)}`];
}

function expressionWords(expression: JsonValue): string {
  const key = String(member(expression, "key"));
  const values = orList(strings(member(expression, "values")));
  switch (member(expression, "operator")) {
    case "Exists":
      return `${key} (any value)`;
    case "DoesNotExist":
      return `without ${key}`;
    case "NotIn":
      return `${key} not ${values}`;
    default:
      return `${key} ${values}`;
  }
}

function annotated(annotations: JsonValue | undefined): readonly string[] {
  if (!isObject(annotations) || Object.keys(annotations).length === 0) return [];
  return [`annotated ${andList(Object.entries(annotations).map(([k, v]) => `${k}=${String(v)}`))}`];
}

/** Roles, cluster roles and subjects: each part that is there must hold. */
function userWords(filter: JsonValue): string {
  const subjects = member(filter, "subjects");
  const named = isArray(subjects)
    ? subjects.map((s) => [member(s, "kind"), [member(s, "namespace"), member(s, "name")].filter(Boolean).join("/")].join(" "))
    : [];
  const roles = strings(member(filter, "roles")).map((r) => `role ${r}`);
  const clusterRoles = strings(member(filter, "clusterRoles")).map((r) => `cluster role ${r}`);
  const parts = [
    orList(named),
    roles.length > 0 ? `someone with ${orList(roles)}` : "",
    clusterRoles.length > 0 ? `someone with ${orList(clusterRoles)}` : "",
  ];
  return andList(parts.filter((p) => p !== ""));
}

export function strings(value: JsonValue | undefined): readonly string[] {
  return isArray(value) ? value.filter((v) => typeof v === "string") : [];
}

function text(value: JsonValue | undefined): readonly string[] {
  return typeof value === "string" && value !== "" ? [value] : [];
}
