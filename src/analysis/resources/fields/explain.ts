import type { Fix, Severity } from "../../../core/finding.ts";
import { isArray, type JsonObject, type JsonPath, type JsonValue, toDotted, toPointer, valueAt } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { nearestName } from "../../../core/nearest-name.ts";
import { adviceFix, type LintIssue, orList, patchFix } from "../issue.ts";
import { consequence, type Judge } from "./consequence.ts";
import type { FieldProblem, UnknownField } from "./problem.ts";
import { describeValue } from "./scalar.ts";
import type { Suggestion } from "./suggest.ts";

const governing = new Set([
  "NetworkPolicy",
  "ResourceQuota",
  "LimitRange",
  "Role",
  "ClusterRole",
  "RoleBinding",
  "ClusterRoleBinding",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "MutatingAdmissionPolicy",
  "ValidatingWebhookConfiguration",
  "MutatingWebhookConfiguration",
]);

/** A lost field weighs more where it was meant to protect. */
function lossSeverity(object: KubernetesObject, path: JsonPath): Severity {
  return governing.has(object.kind) || path.includes("securityContext") ? "high" : "medium";
}

function placeName(object: KubernetesObject, path: JsonPath): string {
  return path.length === 0 ? `${object.kind}` : toDotted(path);
}

export function explainUnknown(
  object: KubernetesObject,
  problem: UnknownField,
  suggestion: Suggestion | undefined,
  /** The field that was meant is required, and missing. */
  needed: boolean,
): LintIssue {
  const parent = problem.path.slice(0, -1);
  const said = `${problem.key} is not a field of ${placeName(object, parent)}`;
  const base = {
    check: "unknown-field",
    path: problem.path,
    atKey: true,
    status: "fail",
    severity: lossSeverity(object, problem.path),
    server: needed ? "refuses-object" : "drops-field",
  } as const;
  const then = needed
    ? "The API server refuses the object, which lacks a required field."
    : "kubectl refuses the object; for clients without strict field validation the API server drops the field.";
  if (suggestion === undefined) {
    const known = Object.keys(problem.parent.properties ?? {}).filter((name) => parent.length > 0 || name !== "status");
    return {
      ...base,
      rule: "unknown",
      message: `${said}. ${then}`,
      evidence: { knownFields: known },
      fix: adviceFix("Remove the field, or put it where the kind has it."),
    };
  }
  if (suggestion.kind === "misspelt") {
    return {
      ...base,
      rule: "misspelt",
      message: `${said}; ${suggestion.name} is. ${then}`,
      evidence: { field: problem.key, nearest: suggestion.name },
      fix: renameFix(object, problem, suggestion.name),
    };
  }
  const place = suggestion.place.join(".").replaceAll(".[]", "[]");
  return {
    ...base,
    rule: "misplaced",
    message: `${said}; it belongs at ${place}. ${then}`,
    evidence: { field: problem.key, place },
    fix: moveFix(object, problem, suggestion.place, place),
  };
}

function renameFix(object: KubernetesObject, problem: UnknownField, name: string): Fix {
  const target = [...problem.path.slice(0, -1), name];
  const description = `Rename ${problem.key} to ${name}.`;
  if (valueAt(object, target) !== undefined) return adviceFix(`${name} is set too: keep one of the two.`);
  return patchFix(description, { op: "move", from: toPointer(problem.path), path: toPointer(target) });
}

/** A patch where there is exactly one place to move to and its parent exists; words otherwise. */
function moveFix(object: KubernetesObject, problem: UnknownField, place: readonly string[], text: string): Fix {
  const description = `Move ${problem.key} to ${text}.`;
  const target: (string | number)[] = [];
  for (const step of place) {
    if (step !== "[]") target.push(step);
    else if (onlyItem(valueAt(object, target))) target.push(0);
    else return adviceFix(description);
  }
  if (valueAt(object, target.slice(0, -1)) === undefined || valueAt(object, target) !== undefined) return adviceFix(description);
  return patchFix(description, { op: "move", from: toPointer(problem.path), path: toPointer(target) });
}

function onlyItem(value: JsonValue | undefined): boolean {
  return isArray(value) && value.length === 1;
}

export function explainValue(problem: Exclude<FieldProblem, UnknownField>, object: KubernetesObject, judge: Judge): LintIssue {
  const then = consequence(problem.kind, judge);
  switch (problem.kind) {
    case "type": {
      const place = toDotted(problem.path);
      return {
        check: "wrong-type",
        rule: problem.expected.replaceAll(" ", "-"),
        path: problem.path,
        status: "fail",
        server: "refuses-object",
        message: `${place} must be ${withArticle(problem.expected)}, not ${describeValue(problem.value)}${yamlHint(problem)}. ${then}`,
        evidence: { expected: problem.expected },
        fix: convertFix(problem.path, problem.expected, problem.value),
      };
    }
    case "enum": {
      const allowed = problem.allowed.filter((v) => typeof v === "string");
      const near = typeof problem.value === "string" ? nearestName(problem.value, allowed) : undefined;
      return {
        check: "invalid-value",
        rule: "not-allowed",
        path: problem.path,
        status: "fail",
        server: "refuses-object",
        message: `${toDotted(problem.path)} must be ${orList(problem.allowed.map(String))}, not ${describeValue(problem.value)}. ${then}`,
        evidence: { allowed: problem.allowed },
        fix:
          near === undefined
            ? adviceFix(`Use ${orList(problem.allowed.map(String))}.`)
            : patchFix(`Write ${near}.`, { op: "replace", path: toPointer(problem.path), value: near }),
      };
    }
    case "format":
      return explainFormat(problem, then);
    case "missing":
      return {
        check: "missing-field",
        rule: "required",
        path: problem.path,
        status: "fail",
        server: "refuses-object",
        message: `${placeName(object, problem.path)} lacks the required field ${problem.key}. ${then}`,
        evidence: { field: problem.key },
        fix: adviceFix(`Add ${problem.key}.`),
      };
  }
}

/** `namespace: n` and `enabled: yes` surprise everybody once. */
function yamlHint({ expected, value }: Extract<FieldProblem, { kind: "type" }>): string {
  return expected === "string" && typeof value === "boolean" ? " (unquoted n, no, off, y, yes and on are booleans in YAML)" : "";
}

function explainFormat(problem: Extract<FieldProblem, { kind: "format" }>, then: string): LintIssue {
  const place = toDotted(problem.path);
  const value = describeValue(problem.value);
  const base = {
    check: "invalid-value",
    path: problem.path,
    status: "fail",
    rule: problem.format,
    server: "refuses-object",
  } as const;
  switch (problem.format) {
    case "byte":
      return {
        ...base,
        message: `${place} is not base64 (${problem.reason}). ${then}`,
        fix: adviceFix("Encode the value as standard base64, with padding."),
      };
    case "quantity": {
      const near = typeof problem.value === "string" ? nearestQuantity(problem.value) : undefined;
      return {
        ...base,
        message: `${place}: ${value} is not a quantity. ${then}`,
        evidence: { units: quantityUnits },
        fix:
          near === undefined
            ? adviceFix("Write a number with one of the units m, k, M, G, T, Ki, Mi, Gi, Ti.")
            : patchFix(`Write ${near}.`, { op: "replace", path: toPointer(problem.path), value: near }),
      };
    }
    case "int32":
    case "int64":
      return {
        ...base,
        message: `${place}: ${problem.reason}. ${then}`,
        fix: adviceFix(`Use a number that fits into ${problem.format}.`),
      };
  }
}

const quantityUnits: JsonObject[string] = ["n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** `2GB` -> `2G`, `512mb` -> `512M`, `4 Gi` -> `4Gi`, `1gib` -> `1Gi`: only the unit is guessed, never the number. */
function nearestQuantity(text: string): string | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kmgtp])(i?)b?\s*$/i.exec(text);
  const [, number, unit = "", binary = ""] = match ?? [];
  if (number === undefined) return undefined;
  // A lower-case m is milli: `100m` would have been a quantity, so this was `100mb` or `100 mi`.
  const letter = unit.toUpperCase() === "K" && binary === "" ? "k" : unit.toUpperCase();
  return `${number}${letter}${binary === "" ? "" : "i"}`;
}

function withArticle(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function convertFix(path: JsonPath, expected: string, value: JsonValue): Fix {
  const converted = convert(expected, value);
  if (converted === undefined) return adviceFix(`Write ${withArticle(expected)}.`);
  return patchFix(`Write ${JSON.stringify(converted)}.`, { op: "replace", path: toPointer(path), value: converted });
}

function convert(expected: string, value: JsonValue): JsonValue | undefined {
  switch (expected) {
    case "string":
      return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
    case "integer":
      return typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : undefined;
    case "boolean":
      return typeof value === "string" && /^(?:true|false)$/i.test(value) ? value.toLowerCase() === "true" : undefined;
    case "array":
      return typeof value === "string" ? [value] : undefined;
    default:
      return undefined;
  }
}
