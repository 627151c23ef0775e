import type { Diagnostic } from "../../core/diagnostic.ts";
import type { Finding } from "../../core/finding.ts";
import { identified } from "../../core/fingerprint.ts";
import type { JsonPath } from "../../core/json.ts";
import { type KubernetesObject, resourceRef } from "../../core/kubernetes.ts";
import type { KubernetesSchemas } from "../../core/schema.ts";
import type { SourceDocument } from "../../core/source.ts";
import { unknownKinds } from "./kinds.ts";
import { legacyForms } from "./legacy-forms.ts";
import { neverApplies } from "./never-applies.ts";
import { patternFields } from "./pattern-fields.ts";
import { type PolicyCheck, type PolicyView, policyView } from "./policy-view.ts";
import { refusals } from "./refusals.ts";

const checks: readonly PolicyCheck[] = [refusals, unknownKinds, neverApplies, patternFields, legacyForms];

/** What is wrong with, or could be better in, a Kyverno policy; `diagnostics` are those of its compilation. */
export function lintKyvernoPolicy(
  document: SourceDocument<KubernetesObject>,
  schemas: KubernetesSchemas,
  diagnostics: readonly Diagnostic[],
): readonly Finding[] {
  const view = policyView(document, schemas);
  const resource = resourceRef(document.value);
  const issues = checks.flatMap((check) => check(view));
  return [
    ...diagnostics.map((d) => diagnosticFinding(document, d)),
    ...issues.map(({ rule, severity, path, message, fix }) => {
      const location = document.locateKey(path) ?? document.locate(path);
      return identified({
        check: { policy: `policy-lint/${rule}`, rule: ruleAt(view, path), category: "Policies" },
        status: "fail",
        severity,
        resource,
        path,
        ...(location === undefined ? {} : { location }),
        message,
        ...(fix === undefined ? {} : { fix: { description: fix } }),
        controls: [],
      });
    }),
  ];
}

/** The rule of the policy that a path leads into. */
function ruleAt({ rules }: PolicyView, path: JsonPath): string {
  const index = path[0] === "spec" && path[1] === "rules" ? path[2] : undefined;
  return (typeof index === "number" ? rules[index]?.name : undefined) ?? "policy";
}

/** A problem of compilation as a finding: errors keep the policy, or one of its rules, from being evaluated. */
export function diagnosticFinding(document: SourceDocument<KubernetesObject>, d: Diagnostic): Finding {
  return identified({
    check: { policy: `policy-lint/${d.code}`, rule: "policy", category: "Policies" },
    status: "fail",
    severity: d.severity === "error" ? "high" : "low",
    resource: resourceRef(document.value),
    ...(d.span === undefined ? {} : { location: d.span }),
    message: d.message,
    ...(d.next === undefined ? {} : { fix: { description: d.next } }),
    controls: [],
  });
}
