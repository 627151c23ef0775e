import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import type { AutogenTemplate } from "./autogen.ts";

const paths = { defaults: ["spec", "template"], cronjobs: ["spec", "jobTemplate", "spec", "template"] } as const;

/** The end of what the brace before `start` opens; undefined where it stays open. */
function closingBrace(text: string, start: number): number | undefined {
  let depth = 1;
  for (let i = start; i < text.length; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return i;
  }
  return undefined;
}

/** An expression about a pod, as Kyverno rewrites it for what makes pods. */
export function convertExpression(expression: string, template: AutogenTemplate): string {
  const steps = paths[template];
  const to = steps.join(".");
  const rewritten = expression
    .replace(/\b(object|oldObject|Object)\.spec/g, `$1.${to}.spec`)
    .replace(/\b(object|oldObject|Object)\.metadata\.(labels|annotations)/g, `$1.${to}.metadata.$2`);
  const root = /^\s*Object[ \t\r\n]*\{/.exec(rewritten);
  if (root === null) return rewritten;
  const start = root[0].length;
  const end = closingBrace(rewritten, start);
  if (end === undefined || end === start) return rewritten;
  let opening = "Object{";
  for (const [i, step] of steps.entries()) opening += `${step}: Object.${steps.slice(0, i + 1).join(".")}{`;
  return `${opening}${rewritten.slice(start, end)}${"}".repeat(steps.length + 1)}${rewritten.slice(end + 1)}`;
}

function converted(list: JsonValue | undefined, change: (entry: JsonObject) => JsonObject): JsonValue {
  return isArray(list) ? list.map((entry) => (isObject(entry) ? change(entry) : entry)) : [];
}

/** Conditions and configurations lead to the pod template; JSON patches stay as they are written. */
export function convertSpec(spec: JsonValue, template: AutogenTemplate): JsonValue {
  if (!isObject(spec)) return spec;
  const withExpression = (entry: JsonObject): JsonObject => {
    const expression = asString(entry["expression"]);
    return expression === undefined ? entry : { ...entry, expression: convertExpression(expression, template) };
  };
  const mutation = (entry: JsonObject): JsonObject => {
    const configuration = member(entry, "applyConfiguration");
    return isObject(configuration) ? { ...entry, applyConfiguration: withExpression(configuration) } : entry;
  };
  return {
    ...spec,
    matchConditions: converted(spec["matchConditions"], withExpression),
    mutations: converted(spec["mutations"], mutation),
  };
}
