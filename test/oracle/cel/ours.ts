import { parseFieldSelector, parseLabelSelector } from "../../../src/access/classify/selector-text.ts";
import { decodeBase64, encodeBase64 } from "../../../src/core/utf8.ts";
import { check } from "../../../src/languages/cel/checker.ts";
import { estimateCost } from "../../../src/languages/cel/cost/estimate.ts";
import type { SizeEstimator } from "../../../src/languages/cel/cost/size.ts";
import type { Env } from "../../../src/languages/cel/env.ts";
import { formatIssues } from "../../../src/languages/cel/issue.ts";
import { bindingsLibrary } from "../../../src/languages/cel/libraries/bindings.ts";
import { encodersLibrary } from "../../../src/languages/cel/libraries/encoders.ts";
import {
  type AuthorizationCheck,
  Authorizer,
  authorizerType,
} from "../../../src/languages/cel/libraries/kubernetes/authorizer.ts";
import { kubernetesEnvironments, perCallLimit } from "../../../src/languages/cel/libraries/kubernetes/environment.ts";
import { jsonPatchLibrary } from "../../../src/languages/cel/libraries/kubernetes/json-patch.ts";
import { mathLibrary } from "../../../src/languages/cel/libraries/math.ts";
import { parse } from "../../../src/languages/cel/parser.ts";
import { compile } from "../../../src/languages/cel/program.ts";
import * as types from "../../../src/languages/cel/types.ts";
import { elementAt, mapFind, mapKeys } from "../../../src/languages/cel/values/containers.ts";
import { toDuration, toTimestamp } from "../../../src/languages/cel/values/convert.ts";
import { doubleValue, isDouble, isInt, makeDouble } from "../../../src/languages/cel/values/numbers.ts";
import * as values from "../../../src/languages/cel/values/value.ts";
import type { GeneratedCase, Variable } from "./generate.ts";

/** What the Go program answers, and what we make of the same case. */
export interface Answer {
  readonly compile?: string;
  readonly plan?: string;
  readonly type?: string;
  readonly error?: string;
  readonly value?: unknown;
  readonly cost: number;
  readonly min?: string;
  readonly max?: string;
  readonly unstable?: boolean;
}

export function oracleEnv(server: number): Env {
  return kubernetesEnvironments(server, server).storedExpressions.extend({
    libraries: [jsonPatchLibrary, bindingsLibrary, mathLibrary(2), encodersLibrary],
  });
}

const named = new Map<string, types.CelType>([
  ["int", types.intType],
  ["uint", types.uintType],
  ["double", types.doubleType],
  ["string", types.stringType],
  ["bool", types.boolType],
  ["bytes", types.bytesType],
  ["dyn", types.dynType],
  ["timestamp", types.timestampType],
  ["duration", types.durationType],
  ["authorizer", authorizerType],
]);

function typeOf(name: string): types.CelType {
  const known = named.get(name);
  if (known !== undefined) return known;
  const inner = name.slice(name.indexOf("(") + 1, -1);
  if (name.startsWith("list(")) return types.listOf(typeOf(inner));
  const comma = inner.indexOf(",");
  return types.mapOf(typeOf(inner.slice(0, comma)), typeOf(inner.slice(comma + 1).trim()));
}

function decide(check: AuthorizationCheck) {
  const fields = parseFieldSelector(check.fieldSelector);
  const labels = parseLabelSelector(check.labelSelector);
  const q = (text: string) => JSON.stringify(text);
  const count = (selector: typeof fields) => (selector.ok ? `${selector.requirements.length}/false` : "0/true");
  const names = [check.path, check.apiGroup, check.resource, check.subresource, check.namespace, check.name].map(q).join(" ");
  const reason = `${check.user} [${check.groups.join(" ")}] ${check.verb} ${check.isResourceRequest} ${names} fields=${count(fields)} labels=${count(labels)}`;
  return { allowed: check.verb === "get", reason, ...(check.verb === "error" ? { error: "it failed" } : {}) };
}

function input({ type, value }: Variable): values.Value {
  if (type === "authorizer") return new Authorizer(decide, { name: "alice", groups: ["devs"] });
  if (type === "uint") return new values.Uint(BigInt(String(value)));
  if (type === "double") return makeDouble(Number(value));
  if (type === "bytes") return new values.Bytes(decodeBase64(String(value)) ?? new Uint8Array());
  if (type === "timestamp") return toTimestamp(String(value));
  if (type === "duration") return toDuration(String(value));
  return value as values.CelValue;
}

function goDouble(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const [mantissa, exponent] = (Object.is(value, -0) ? "-0e+0" : value.toExponential()).split("e");
  return `${mantissa}e${exponent?.charAt(0)}${exponent?.slice(1).padStart(2, "0")}`;
}

function encode(value: values.Value): unknown {
  if (value instanceof values.CelError) return { error: value.message };
  if (value === null) return { null: true };
  if (typeof value === "boolean" || typeof value === "string") return value;
  if (isInt(value)) return { int: String(value) };
  if (isDouble(value)) return { double: goDouble(doubleValue(value)) };
  if (value instanceof values.Uint) return { uint: String(value.value) };
  if (value instanceof values.Bytes) return { bytes: encodeBase64(value.data) };
  if (value instanceof values.Timestamp) {
    const ns = ((value.ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
    return { timestamp: `${(value.ns - ns) / 1_000_000_000n}.${String(ns).padStart(9, "0")}` };
  }
  if (value instanceof values.Duration) return { duration: String(value.ns) };
  if (value instanceof values.Optional) return { optional: value.value === undefined ? "none" : encode(value.value) };
  if (value instanceof values.TypeValue) return { type: value.of.name };
  if (values.isList(value)) {
    const list = value;
    return { list: Array.from({ length: list.length }, (_, i) => encode(elementAt(list, i))) };
  }
  if (values.isMap(value)) {
    const map = value;
    const entries = mapKeys(map).map((key) => [goText(encode(key)), goText(encode(mapFind(map, key) ?? null))] as const);
    return { map: entries.sort(([a], [b]) => (a < b ? -1 : 1)) };
  }
  if (value instanceof values.CelObject) {
    const text = value.toJson();
    return { [value.type.name]: text instanceof values.CelError ? true : text };
  }
  return "unknown";
}

/** JSON as Go writes it: some characters escaped, members sorted. */
export function goText(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  ).replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const sizes: SizeEstimator = {
  sizeOf: ({ type }) => (["string", "bytes", "list", "map", "dyn"].includes(type.kind) ? { min: 0n, max: 100n } : undefined),
};

/** As cel-go's Type.String: well-known types go by their full names. */
function goType(type: types.CelType): string {
  return types
    .formatType(type)
    .replace(/\b(timestamp|duration)\b/g, (name) => `google.protobuf.${name.charAt(0).toUpperCase()}${name.slice(1)}`)
    .replace(/\bnull\b/g, "null_type");
}

export function answerOf({ expr, vars }: GeneratedCase, base: Env): Answer {
  const env = base.extend({ variables: Object.entries(vars).map(([name, { type }]) => ({ name, type: typeOf(type) })) });
  const parsed = parse(expr, env.syntax);
  if (!parsed.ok) return { compile: formatIssues(expr, parsed.issues), cost: 0 };
  const typed = check(parsed.value, env);
  if (!typed.ok) return { compile: formatIssues(expr, typed.issues), cost: 0 };
  const { min, max } = estimateCost(typed.value, env, sizes, false);
  const start = { type: goType(typed.value.resultType), min: String(min), max: String(max) };
  const program = compile(typed.value, env);
  if (!program.ok) return { ...start, plan: program.issues[0]?.message ?? "", cost: 0 };
  const variables = Object.fromEntries(Object.entries(vars).map(([name, variable]) => [name, input(variable)]));
  const { value, cost } = program.value.evaluate(variables, undefined, perCallLimit);
  if (value instanceof values.Failure)
    return { ...start, error: value instanceof values.CelError ? value.message : "unknown", cost };
  return { ...start, value: encode(value), cost };
}
