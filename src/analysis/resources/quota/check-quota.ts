import { isObject, type JsonObject, member, toPointer } from "../../../core/json.ts";
import { parseQuantity, type Quantity } from "../../../core/quantity.ts";
import { adviceFix, type LintIssue, patchFix } from "../issue.ts";
import type { ObjectCheck } from "../object-check.ts";
import { escapeIssues } from "./escape.ts";
import { countsWholeThings, judgeKey, type KeyVerdict } from "./keys.ts";
import { readScopes, scopeIssues } from "./scopes.ts";

/** Budgets that the API server refuses, that count nothing, or that do not count every pod. */
export const quotaCheck: ObjectCheck = {
  looksAround: true,
  kinds: ["/ResourceQuota"],
  check(quota, context, document) {
    const hard = member(quota["spec"], "hard");
    if (!isObject(hard)) return [];
    const verdicts = new Map(Object.keys(hard).map((key) => [key, judgeKey(key, context)]));
    const scopes = readScopes(quota);
    return [
      ...[...verdicts].flatMap(([key, verdict]) => keyIssues(key, verdict, hard)),
      ...scopeIssues(scopes, verdicts),
      ...escapeIssues(quota, scopes, context, document),
    ];
  },
};

function keyIssues(key: string, verdict: KeyVerdict, hard: JsonObject): LintIssue[] {
  const path = ["spec", "hard", key];
  if (verdict.kind !== "counted") return [keyIssue(key, verdict, hard)];
  const value = hard[key];
  const quantity =
    typeof value === "string" ? parseQuantity(value) : typeof value === "number" ? parseQuantity(String(value)) : undefined;
  if (quantity === undefined) return [];
  const wrong = valueProblem(key, quantity);
  if (wrong === undefined) return [];
  return [
    {
      check: "quota-key",
      rule: "invalid-value",
      path,
      status: "fail",
      server: "refuses-object",
      message: `${key}: ${String(value)} ${wrong}. The API server refuses the quota.`,
      fix: adviceFix("Write a whole number that is not negative."),
    },
  ];
}

function valueProblem(key: string, quantity: Quantity): string | undefined {
  if (quantity.unscaled < 0n) return "is negative";
  const fraction = quantity.exponent < 0 && quantity.unscaled % 10n ** BigInt(-quantity.exponent) !== 0n;
  return fraction && countsWholeThings(key) ? "is no whole number" : undefined;
}

function keyIssue(key: string, verdict: Exclude<KeyVerdict, { kind: "counted" }>, hard: JsonObject): LintIssue {
  const path = ["spec", "hard", key];
  const { meant } = verdict;
  const instead = meant === undefined ? "" : ` What is counted is ${meant}.`;
  const rejected = verdict.kind === "rejected";
  const shadow = `The API server accepts ${key} in a quota, and nothing is ever counted against it.`;
  return {
    check: "quota-key",
    rule: verdict.kind,
    path,
    atKey: true,
    status: "fail",
    ...(rejected ? { server: "refuses-object" as const } : {}),
    message: rejected
      ? `${key} is not a quota key: the API server refuses the whole quota, so none of its limits exist.${instead}`
      : `${shadow}${why(key)}${instead}`,
    evidence: { key, ...(meant === undefined ? {} : { counted: meant }) },
    fix: keyFix(key, meant, hard),
  };
}

function why(key: string): string {
  if (key.startsWith("limits.")) return " Devices cannot be overcommitted, so only their requests are counted.";
  if (key.startsWith("count/")) return " No such resource is served.";
  return "";
}

function keyFix(key: string, meant: string | undefined, hard: JsonObject) {
  if (meant === undefined) return adviceFix("Remove the key, or use one that the quota documentation lists.");
  const from = toPointer(["spec", "hard", key]);
  if (Object.hasOwn(hard, meant)) return patchFix(`Remove ${key}; ${meant} is set already.`, { op: "remove", path: from });
  return patchFix(`Rename ${key} to ${meant}.`, { op: "move", from, path: toPointer(["spec", "hard", meant]) });
}
