import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isArray, isObject, type JsonObject, type JsonValue, member } from "../../../src/core/json.ts";
import { applyJsonPatch, parseJsonPatch } from "../../../src/core/json-patch.ts";
import type { KubernetesObject } from "../../../src/core/kubernetes.ts";
import { type KubernetesSchemas, kubernetesSchemas, type Schema } from "../../../src/core/schema.ts";
import { structuredMerge } from "../../../src/core/structured-merge.ts";
import { check } from "../../../src/languages/cel/checker.ts";
import { formatIssues } from "../../../src/languages/cel/issue.ts";
import {
  jsonPatchType,
  misnamedFields,
  mutationLibrary,
  mutationTypes,
  objectType,
  WrittenObject,
} from "../../../src/languages/cel/libraries/kubernetes/mutation.ts";
import { parse } from "../../../src/languages/cel/parser.ts";
import { compile } from "../../../src/languages/cel/program.ts";
import { dynType, formatType, listOf, sameType } from "../../../src/languages/cel/types.ts";
import { elementAt } from "../../../src/languages/cel/values/containers.ts";
import { toJson } from "../../../src/languages/cel/values/json.ts";
import { CelError, isList, type Value } from "../../../src/languages/cel/values/value.ts";
import { expectJson, failure, type Outcome, passed } from "../corpus.ts";
import { environments } from "./k8s-crd.ts";

const env = environments.storedExpressions.extend({
  libraries: [mutationLibrary],
  structsByName: mutationTypes,
  variables: ["object", "oldObject", "params"].map((name) => ({ name, type: dynType })),
});

function loadSchemas(): KubernetesSchemas {
  const file = join(import.meta.dirname, "../../../catalog/kubernetes/v1.36.json");
  return kubernetesSchemas(JSON.parse(readFileSync(file, "utf8")));
}

let schemas: KubernetesSchemas | undefined;

interface TargetKind {
  readonly all: KubernetesSchemas;
  readonly schema: Schema;
  readonly apiVersion: string;
  readonly kind: string;
}

function schemaOf(kind: JsonValue | undefined): TargetKind {
  schemas ??= loadSchemas();
  const [group, version, resource] = ["group", "version", "resource"].map((name) => String(member(kind, name)));
  const found = schemas
    .resources()
    .all()
    .find((one) => one.group === group && one.version === version && one.resource === resource);
  const schema = found && schemas.schemaFor(found);
  if (schema === undefined) throw new Error(`${resource} has no schema`);
  const apiVersion = found === undefined || group === "" ? version : `${group}/${version}`;
  return { all: schemas, schema, apiVersion: String(apiVersion), kind: found?.kind ?? "" };
}

type Evaluated = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly message: string };

function evaluate(source: string, object: JsonValue, isPatch: boolean): Evaluated {
  const parsed = parse(source, env.syntax);
  if (!parsed.ok) return { ok: false, message: `compilation failed: ${formatIssues(source, parsed.issues)}` };
  const typed = check(parsed.value, env);
  if (!typed.ok) return { ok: false, message: `compilation failed: ${formatIssues(source, typed.issues)}` };
  const wanted = isPatch ? listOf(jsonPatchType) : objectType;
  const { resultType } = typed.value;
  if (!sameType(resultType, wanted)) {
    return { ok: false, message: `must evaluate to ${formatType(wanted)} but got ${formatType(resultType)}` };
  }
  const program = compile(typed.value, env);
  if (!program.ok) return { ok: false, message: program.issues[0]?.message ?? "" };
  const { value } = program.value.evaluate({ object, oldObject: null, params: null });
  return value instanceof CelError ? { ok: false, message: value.message } : { ok: true, value };
}

function jsonOf(value: Value): JsonValue {
  const json = toJson(value);
  if (json instanceof CelError) throw new Error(json.message);
  return json;
}

function failed(message: string): Evaluated {
  return { ok: false, message };
}

/** Why initializers do not stand where they belong; undefined where they do. */
function misnamed(value: Value | undefined): string | undefined {
  const problems = value instanceof WrittenObject ? misnamedFields(value, value.type.name) : [];
  return problems.length === 0 ? undefined : `type mismatch: ${problems.join("\n")}`;
}

function applyConfiguration(value: Value, object: KubernetesObject, all: KubernetesSchemas): Evaluated {
  const problem = misnamed(value);
  const patch = jsonOf(value);
  if (problem !== undefined || !isObject(patch)) return failed(problem ?? "no object");
  const merged = structuredMerge(object, patch, all);
  return merged.ok ? merged : failed(`error applying patch: ${merged.message}`);
}

function applyPatch(value: Value, object: KubernetesObject, all: KubernetesSchemas, schema: Schema): Evaluated {
  const operations = isList(value) ? Array.from({ length: value.length }, (_, i) => elementAt(value, i)) : [];
  for (const operation of operations) {
    const problem = operation instanceof WrittenObject ? misnamed(operation.fields.get("value")) : undefined;
    if (problem !== undefined) return failed(problem);
  }
  const parsed = parseJsonPatch(jsonOf(value));
  const patched = parsed.ok ? applyJsonPatch(object, parsed.patch) : parsed;
  if (!patched.ok)
    return patched.message.endsWith("test failed") ? { ok: true, value: object } : failed(`JSON Patch: ${patched.message}`);
  const [unknown] = undeclared(patched.value, schema, all, "");
  return unknown === undefined ? patched : failed(`strict decoding error: unknown field "${unknown.slice(1)}"`);
}

/** Members that a schema does not know: a patched object is decoded into a Go struct. */
function* undeclared(value: JsonValue, schema: Schema | undefined, all: KubernetesSchemas, path: string): Iterable<string> {
  if (schema === undefined) return;
  if (isArray(value))
    for (const [i, item] of value.entries()) yield* undeclared(item, all.child(schema, i), all, `${path}[${i}]`);
  if (!isObject(value)) return;
  const { properties } = all.resolve(schema);
  for (const [name, inner] of Object.entries(value)) {
    if (properties !== undefined && !Object.hasOwn(properties, name)) yield `${path}.${name}`;
    else if (inner !== undefined) yield* undeclared(inner, all.child(schema, name), all, `${path}.${name}`);
  }
}

/** The mutated object, or why it could not be mutated. */
function mutate(row: JsonObject, given: JsonObject): Evaluated {
  const isPatch = row["patchType"] === "JSONPatch";
  const evaluated = evaluate(String(row["expression"]), given, isPatch);
  if (!evaluated.ok) return evaluated;
  const { all, schema, apiVersion, kind } = schemaOf(row["kind"]);
  const object: KubernetesObject = { ...given, apiVersion, kind, metadata: {}, ...given };
  return isPatch ? applyPatch(evaluated.value, object, all, schema) : applyConfiguration(evaluated.value, object, all);
}

/** Rows print Go structs: inlined ones are members, resource names constants, empty values are left out. */
function asJson(value: JsonValue): JsonValue {
  if (isArray(value)) return value.map(asJson);
  if (!isObject(value)) return value;
  const members = Object.entries(value).flatMap(([name, inner]): readonly (readonly [string, JsonValue])[] => {
    if (inner === undefined) return [];
    const json = asJson(inner);
    if (name === "volumeSource" && isObject(json))
      return Object.entries(json).flatMap(([key, one]) => (one === undefined ? [] : [[key, one]]));
    const resource = /^corev1\.Resource(\w+)$/.exec(name)?.[1];
    return [[resource === undefined ? name : resource === "CPU" ? "cpu" : resource.toLowerCase(), json]];
  });
  return Object.fromEntries(members);
}

/** What a row says: without the type, which its objects leave out, and without empty metadata. */
function bare(value: Value): JsonValue {
  const json = jsonOf(value);
  if (!isObject(json)) return null;
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = json;
  return isObject(metadata) && Object.keys(metadata).length > 0 ? { ...rest, metadata } : rest;
}

/** A mutation of a typed object: what it becomes, or the error that it gives. */
export function runMutationRow(row: JsonObject): Outcome {
  const object = asJson(row["object"] ?? null);
  const mutated = mutate(row, isObject(object) ? object : {});
  const expectedError = row["errorContains"];
  if (expectedError !== undefined) {
    if (mutated.ok) return failure("succeeds");
    return mutated.message.includes(String(expectedError)) ? passed : failure(mutated.message);
  }
  return mutated.ok ? expectJson(bare(mutated.value), bare(asJson(row["expected"] ?? null))) : failure(mutated.message);
}
