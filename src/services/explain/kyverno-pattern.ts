import { isArray, isObject, type JsonValue, toDotted } from "../../core/json.ts";
import { containsWildcard } from "../../core/wildcard.ts";
import { parseAnchor } from "../../policies/kyverno/anchor.ts";
import { orList } from "./explanation.ts";

/** A pattern in words, one text per field that it asks something of. */
export function patternWords(pattern: JsonValue): readonly string[] {
  const found: string[] = [];
  walk(pattern, "", [], found);
  return found;
}

function walk(value: JsonValue, path: string, conditions: readonly string[], found: string[]): void {
  if (isObject(value)) {
    const entries = Object.entries(value).map(([key, member]) => ({ anchor: parseAnchor(key), key, member: member ?? null }));
    const here = entries
      .filter((e) => e.anchor?.kind === "condition" || e.anchor?.kind === "global")
      .flatMap((e) => conditionWords(e.member, join(path, e.anchor?.key ?? e.key), e.anchor?.kind === "global"));
    const all = [...conditions, ...here];
    const rest = entries.filter((e) => e.anchor?.kind !== "condition" && e.anchor?.kind !== "global");
    for (const { anchor, key, member } of rest) walkMember(anchor?.kind, join(path, anchor?.key ?? key), member, all, found);
    if (rest.length === 0 && here.length === 0) found.push(sentence(conditions, `${path || "the object"} must be an object`));
  } else if (isArray(value)) {
    for (const item of value) walk(item, `${path}[*]`, conditions, found);
  } else found.push(sentence(conditions, `${path} must ${valueWords(value)}`));
}

function walkMember(
  kind: string | undefined,
  path: string,
  value: JsonValue,
  conditions: readonly string[],
  found: string[],
): void {
  switch (kind) {
    case "negation":
      found.push(sentence(conditions, `${path} must not be set`));
      return;
    case "equality":
      walk(value, path, [...conditions, `${path} is set`], found);
      return;
    case "existence":
      for (const item of isArray(value) ? value : [value]) {
        const inner: string[] = [];
        walk(item, "it", [], inner);
        found.push(sentence(conditions, `at least one of ${path}[*]: ${inner.join("; ")}`));
      }
      return;
    default:
      walk(value, path, conditions, found);
  }
}

/** What must hold before the rest is looked at. */
function conditionWords(value: JsonValue, path: string, whole: boolean): readonly string[] {
  const inner: string[] = [];
  walk(value, path, [], inner);
  return inner.map(
    (w) =>
      (whole ? `(for the whole rule) ` : "") +
      w.replace(" must be ", " is ").replace(" must match ", " matches ").replace(" must ", " does "),
  );
}

/** `where a is set: a.b must ...`, and `a, where set, must ...` where the last condition is about the field itself. */
function sentence(conditions: readonly string[], text: string): string {
  const path = text.split(" must ", 1)[0] ?? "";
  const own = `${path} is set`;
  const others = [...new Set(conditions)].filter((c) => c !== own);
  const said = conditions.includes(own) ? text.replace(`${path} must`, () => `${path}, where set, must`) : text;
  return others.length === 0 ? said : `where ${others.join(" and ")}: ${said}`;
}

function join(path: string, key: string): string {
  const step = toDotted([key]);
  return path === "" || step.startsWith("[") ? path + step : `${path}.${step}`;
}

/** What comes after "must": `|` binds weaker than `&`. */
export function valueWords(value: JsonValue): string {
  if (value === null) return "be null, 0, false or empty";
  if (typeof value !== "string") return `be ${String(value)}`;
  const alternatives = value.split("|").map((part) =>
    part
      .split("&")
      .map((p) => operandWords(p.trim()))
      .join(" and "),
  );
  return orList([...new Set(alternatives)]);
}

const operators: readonly (readonly [string, string])[] = [
  [">=", "be at least"],
  ["<=", "be at most"],
  [">", "be over"],
  ["<", "be under"],
];

function operandWords(operand: string): string {
  if (operand === "*") return "be set";
  if (operand === "?*") return "not be empty";
  for (const [sign, words] of operators) if (operand.startsWith(sign)) return `${words} ${operand.slice(sign.length).trim()}`;
  const range = /^(-?[\d.]+\w*)(!?)-(-?[\d.]+\w*)$/.exec(operand);
  if (range !== null) return `${range[2] === "!" ? "not be" : "be"} between ${range[1]} and ${range[3]}`;
  if (operand.startsWith("!")) return `not ${containsWildcard(operand) ? "match" : "be"} \`${operand.slice(1).trim()}\``;
  return containsWildcard(operand) ? `match \`${operand}\`` : `be ${operand === "" ? "empty" : `\`${operand}\``}`;
}
