import type { Diagnostic } from "../../core/diagnostic.ts";
import type { Finding } from "../../core/finding.ts";
import { groupOf, isKubernetesObject } from "../../core/kubernetes.ts";
import type { KubernetesSchemas } from "../../core/schema.ts";
import type { SourceDocument } from "../../core/source.ts";
import { compilePolicies, isPolicyObject, type PolicyDocument } from "../policies.ts";
import { diagnosticFinding, lintKyvernoPolicy } from "./lint-policy.ts";

export interface PolicyLint {
  readonly findings: readonly Finding[];
  /** Policies that were looked at. */
  readonly policies: readonly PolicyDocument[];
  /** Documents beside them that are no policies. */
  readonly others: number;
}

/** Judges every policy among the documents; the rest (test resources, values) is counted. */
export function lintPolicyDocuments(documents: readonly SourceDocument[], schemas: KubernetesSchemas): PolicyLint {
  const crds = schemas.withCustomResources(documents.map((d) => d.value).filter(isKubernetesObject));
  const policies = documents.filter(isPolicyDocument);
  const findings = policies.flatMap((document) => {
    const { diagnostics } = compilePolicies([document], crds.resources());
    return isKyvernoPolicy(document)
      ? lintKyvernoPolicy(document, crds, distinct(diagnostics))
      : distinct(diagnostics).map((d) => diagnosticFinding(document, d));
  });
  return { findings, policies, others: documents.length - policies.length };
}

/** Generated rules repeat what is wrong with the rule they come from. */
function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...new Map(diagnostics.map((d) => [`${d.code} ${d.message}`, d])).values()];
}

function isPolicyDocument(document: SourceDocument): document is PolicyDocument {
  return isKubernetesObject(document.value) && isPolicyObject(document.value);
}

function isKyvernoPolicy({ value }: PolicyDocument): boolean {
  return groupOf(value) === "kyverno.io" && (value.kind === "ClusterPolicy" || value.kind === "Policy");
}
