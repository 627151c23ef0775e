import { isArray, isObject, type JsonPath, type JsonValue, member } from "./json.ts";
import { containsWildcard, matchWildcard } from "./wildcard.ts";

export type Labels = { readonly [key: string]: string };

/** Whether a set of labels is selected. */
export type LabelPredicate = (labels: Labels) => boolean;

interface SelectorProblem {
  /** Inside the selector. */
  readonly path: JsonPath;
  readonly message: string;
}

export type CompiledSelector =
  | { readonly ok: true; readonly matches: LabelPredicate }
  | { readonly ok: false; readonly problems: readonly SelectorProblem[] };

export interface SelectorOptions {
  /** Kyverno: `*` and `?` in the keys and values of `matchLabels`. */
  readonly wildcards?: boolean;
}

const labelValue = /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;
const labelName = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const dnsSubdomain = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

/** RFC 1123: lower-case labels joined by dots, 253 characters at most. */
export function isDnsSubdomain(name: string): boolean {
  return name.length <= 253 && dnsSubdomain.test(name);
}

/** Whether `key` is a valid label key: an optional DNS prefix and a name. */
export function isLabelKey(key: string): boolean {
  const slash = key.indexOf("/");
  if (slash < 0) return labelName.test(key);
  const prefix = key.slice(0, slash);
  return isDnsSubdomain(prefix) && labelName.test(key.slice(slash + 1));
}

export function isLabelValue(value: string): boolean {
  return labelValue.test(value);
}

interface Collector {
  readonly requirements: LabelPredicate[];
  readonly problems: SelectorProblem[];
}

function wildcardRequirement(key: string, value: string): LabelPredicate {
  return (labels) => Object.entries(labels).some(([k, v]) => matchWildcard(key, k) && matchWildcard(value, v));
}

function addMatchLabels(matchLabels: JsonValue, wildcards: boolean, into: Collector): void {
  if (!isObject(matchLabels)) {
    into.problems.push({ path: ["matchLabels"], message: "matchLabels must be an object" });
    return;
  }
  for (const [key, value] of Object.entries(matchLabels)) {
    const path = ["matchLabels", key];
    if (typeof value !== "string") into.problems.push({ path, message: `the value of label ${key} must be a string` });
    else if (wildcards && (containsWildcard(key) || containsWildcard(value))) {
      into.requirements.push(wildcardRequirement(key, value));
    } else if (!isLabelKey(key)) into.problems.push({ path, message: `${JSON.stringify(key)} is not a label key` });
    else if (!isLabelValue(value)) into.problems.push({ path, message: `${JSON.stringify(value)} is not a label value` });
    else into.requirements.push((labels) => labels[key] === value);
  }
}

function valueStrings(values: JsonValue | undefined): readonly string[] | undefined {
  if (values === undefined || values === null) return [];
  if (!isArray(values)) return undefined;
  const strings = values.filter((v) => typeof v === "string");
  return strings.length === values.length ? strings : undefined;
}

function addExpression(expression: JsonValue, index: number, into: Collector): void {
  const problem = (message: string, ...path: readonly string[]) =>
    into.problems.push({ path: ["matchExpressions", index, ...path], message });
  const key = member(expression, "key");
  const operator = member(expression, "operator");
  const values = valueStrings(member(expression, "values"));
  if (typeof key !== "string" || !isLabelKey(key)) {
    problem(`${JSON.stringify(typeof key === "bigint" ? String(key) : (key ?? null))} is not a label key`, "key");
  } else if (values === undefined) problem("values must be a list of strings", "values");
  else if (values.some((v) => !isLabelValue(v))) problem("values must be label values", "values");
  else if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) problem(`${operator} needs values`, "values");
    const set = new Set(values);
    into.requirements.push(
      operator === "In"
        ? (labels) => Object.hasOwn(labels, key) && set.has(labels[key] ?? "")
        : (labels) => !Object.hasOwn(labels, key) || !set.has(labels[key] ?? ""),
    );
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0) problem(`${operator} takes no values`, "values");
    const wanted = operator === "Exists";
    into.requirements.push((labels) => Object.hasOwn(labels, key) === wanted);
  } else
    problem(
      `${JSON.stringify(typeof operator === "bigint" ? String(operator) : (operator ?? null))} is not one of In, NotIn, Exists, DoesNotExist`,
      "operator",
    );
}

/**
 * Compiles a Kubernetes LabelSelector (meta/v1). An empty selector selects everything. A selector that the API server
 * would refuse gives its problems.
 */
export function compileLabelSelector(selector: JsonValue, options: SelectorOptions = {}): CompiledSelector {
  const into: Collector = { requirements: [], problems: [] };
  if (!isObject(selector)) return { ok: false, problems: [{ path: [], message: "a label selector must be an object" }] };
  const matchLabels = selector["matchLabels"];
  if (matchLabels !== undefined && matchLabels !== null) addMatchLabels(matchLabels, options.wildcards ?? false, into);
  const expressions = selector["matchExpressions"];
  if (isArray(expressions)) {
    expressions.forEach((expression, index) => {
      addExpression(expression, index, into);
    });
  } else if (expressions !== undefined && expressions !== null) {
    into.problems.push({ path: ["matchExpressions"], message: "matchExpressions must be a list" });
  }
  if (into.problems.length > 0) return { ok: false, problems: into.problems };
  const [only, second] = into.requirements;
  if (only !== undefined && second === undefined) return { ok: true, matches: only };
  const requirements = into.requirements;
  return { ok: true, matches: (labels) => requirements.every((matches) => matches(labels)) };
}
