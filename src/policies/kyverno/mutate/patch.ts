import type { JsonPatch } from "../../../core/finding.ts";
import { asString, isObject, type JsonObject, type JsonPath, type JsonValue, jsonEquals, member } from "../../../core/json.ts";
import { applyJsonPatch, type Patched, parseJsonPatch } from "../../../core/json-patch.ts";
import { isKubernetesObject, type KubernetesObject } from "../../../core/kubernetes.ts";
import { readYaml } from "../../../core/yaml/read-yaml.ts";
import { reasonOf } from "../outcome.ts";
import type { DocumentReport } from "../report.ts";
import type { RuleScope } from "../rule-types.ts";
import { compileTemplate, type Template } from "../variables.ts";
import { compileStrategicMergePatch, type StrategicMergePatch } from "./strategic-merge-patch.ts";

/** What one patch made of an object. */
export type Mutation =
  | { readonly status: "pass"; readonly object: KubernetesObject }
  | { readonly status: "skip"; readonly message: string }
  | { readonly status: "error"; readonly message: string };

export type Patcher = (scope: RuleScope, object: KubernetesObject) => Mutation;

export const noPatches: Mutation = { status: "skip", message: "no patches applied" };

export function failedMutation(message: string, thrown: unknown): Mutation {
  return { status: "error", message: `${message}: ${reasonOf(thrown)}` };
}

/** The two fields that a rule and a loop share; in a rule they stand under `/mutate`. */
const patchFields = ["patchStrategicMerge", "patchesJson6902"] as const;

export function hasPatch(spec: JsonValue): boolean {
  return patchFields.some((field) => isFilled(member(spec, field)));
}

function isFilled(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== null && value !== "";
}

/**
 * Compiles `patchStrategicMerge` or `patchesJson6902`; undefined where there is none or it is wrong (which is reported).
 * `root` is the document that Kyverno substitutes variables in, as `{{ @ }}` sees it: the rule, or the loop alone.
 */
export function compilePatch(spec: JsonValue, root: string, path: JsonPath, report: DocumentReport): Patcher | undefined {
  const merge = member(spec, "patchStrategicMerge");
  if (isFilled(merge) && merge !== undefined) {
    return patcher(template(merge, root, "patchStrategicMerge", path, report), mergeWith());
  }
  const text = asString(member(spec, "patchesJson6902"));
  if (text === undefined || text === "") return undefined;
  const source = template(text, root, "patchesJson6902", path, report);
  if (source?.constant !== true) return patcher(source, applyPatchText);
  const parsed = parsePatchText(text);
  if (parsed.ok) return patcher(source, (object) => applyJsonPatch(object, parsed.patch, { lenient: true }));
  report.error("KYV_BAD_RULE", [...path, "patchesJson6902"], parsed.message);
  return undefined;
}

function template(value: JsonValue, root: string, field: string, path: JsonPath, report: DocumentReport): Template | undefined {
  const compiled = compileTemplate(value, `${root}/${field}`);
  report.adopt(compiled.diagnostics, [...path, field]);
  return compiled.ok ? compiled.value : undefined;
}

type Apply = (object: KubernetesObject, patch: JsonValue) => Patched;

function patcher(source: Template | undefined, apply: Apply): Patcher | undefined {
  if (source === undefined) return undefined;
  return (scope, object) => {
    let patch: JsonValue;
    try {
      patch = source.substitute(scope);
    } catch (error) {
      return failedMutation("variable substitution failed", error);
    }
    const patched = apply(object, patch);
    if (!patched.ok) return { status: "error", message: `failed to patch resource: ${patched.message}` };
    if (jsonEquals(patched.value, object)) return noPatches;
    if (!isKubernetesObject(patched.value)) {
      return { status: "error", message: "failed to unmarshal patched resource: Object 'Kind' is missing" };
    }
    return { status: "pass", object: patched.value };
  };
}

/** A patch without variables is the same value for every object, and prepared once. */
function mergeWith(): Apply {
  let last: { readonly patch: JsonValue; readonly merge: StrategicMergePatch } | undefined;
  return (object, patch) => {
    if (!isObject(patch)) return { ok: false, message: "failed to preProcess rule: patchStrategicMerge must be an object" };
    if (last?.patch !== patch) last = { patch, merge: compileStrategicMergePatch(patch) };
    return last.merge(object);
  };
}

function applyPatchText(object: JsonObject, text: JsonValue): Patched {
  const parsed = parsePatchText(typeof text === "string" ? text : "");
  return parsed.ok ? applyJsonPatch(object, parsed.patch, { lenient: true }) : parsed;
}

type ParsedPatch = { readonly ok: true; readonly patch: JsonPatch } | { readonly ok: false; readonly message: string };

/** A text that opens with a bracket has to be JSON; anything else is YAML. */
function parsePatchText(text: string): ParsedPatch {
  if (text.startsWith("[") && !isJson(text)) return { ok: false, message: "failed to decode patches: invalid state detected" };
  const read = readYaml(text);
  if (!read.ok) return { ok: false, message: `failed to convert patchesJson6902 to JSON: ${read.diagnostics[0]?.message}` };
  const parsed = parseJsonPatch(read.value);
  return parsed.ok ? parsed : { ok: false, message: `failed to decode patches: ${parsed.message}` };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
