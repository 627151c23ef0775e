import { type KubernetesObject, labelsOf, nameOf } from "../../../core/kubernetes.ts";
import { adviceFix, andList, type LintIssue, orList } from "../issue.ts";
import type { LintContext, ObjectCheck } from "../object-check.ts";
import type { ScannedSet } from "../scanned-set.ts";
import { type Backing, backingOf, selectedLabels } from "./backing.ts";
import { type LabelPromise, readPromise } from "./promise.ts";

/** Labels of namespaces that promise isolation or care, where nothing in the scanned set keeps the promise. */
export const promisesCheck: ObjectCheck = {
  looksAround: true,
  kinds: ["/Namespace"],
  check(namespace, context) {
    return Object.entries(labelsOf(namespace)).flatMap(([key, value]) => {
      const promise = readPromise(key, value);
      if (promise === undefined || selectorsOf(context).has(key)) return [];
      const issue = promiseIssue(namespace, promise, context.set);
      return issue === undefined ? [] : [issue];
    });
  },
};

const selectorCache = new WeakMap<ScannedSet, ReadonlySet<string>>();

function selectorsOf({ set }: LintContext): ReadonlySet<string> {
  const known = selectorCache.get(set) ?? selectedLabels(set);
  selectorCache.set(set, known);
  return known;
}

const means = {
  denyIngress: "a NetworkPolicy that denies ingress by default",
  denyEgress: "a NetworkPolicy that denies egress by default",
  quota: "a ResourceQuota",
  podSecurity: "an enforced Pod Security level",
} as const satisfies Record<keyof Backing, string>;

/** What a promise needs; a stage is kept by any of its means, the others by all. */
const needs: Readonly<Record<LabelPromise["kind"], readonly (keyof Backing)[]>> = {
  isolation: ["denyIngress", "denyEgress", "quota", "podSecurity"],
  "pod-security": ["podSecurity"],
  classification: ["denyIngress", "denyEgress"],
  stage: ["denyIngress", "quota", "podSecurity"],
};

function promiseIssue(namespace: KubernetesObject, promise: LabelPromise, set: ScannedSet): LintIssue | undefined {
  const backing = backingOf(namespace, set);
  const needed = needs[promise.kind];
  const missing = needed.filter((means) => !backing[means]);
  if (missing.length === 0 || (promise.kind === "stage" && missing.length < needed.length)) return undefined;
  const all = missing.map((part) => means[part]);
  return {
    check: "label-promise",
    rule: promise.kind,
    path: ["metadata", "labels", promise.key],
    status: "warn",
    ...(promise.kind === "stage" ? { severity: "low" as const } : {}),
    message: `${promise.key}: ${promise.value} promises what nothing that was scanned keeps: ${nameOf(namespace)} lacks ${andList(all)}.`,
    evidence: { promise: promise.kind, missing },
    fix: adviceFix(`Add ${promise.kind === "stage" ? orList(all) : andList(all)}, or drop the label.`),
  };
}
