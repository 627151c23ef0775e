import type { ApiResources } from "../../core/api-resources.ts";
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { Finding } from "../../core/finding.ts";
import { groupOf, isKubernetesObject } from "../../core/kubernetes.ts";
import type { KubernetesSchemas } from "../../core/schema.ts";
import type { SourceDocument } from "../../core/source.ts";
import { compileAccess, isAccessDocument } from "../access/access-documents.ts";
import { compilePolicies, isPolicyObject, type PolicyDocument } from "../policies.ts";
import { diagnosticFinding, lintKyvernoPolicy } from "./lint-policy.ts";

export interface PolicyLint {
  readonly findings: readonly Finding[];
  /** Policies that were looked at. */
  readonly policies: readonly PolicyDocument[];
  /** Documents beside them that are no policies. */
  readonly others: number;
}

/** Judges every policy, and what governs access, among the documents; the rest (test resources, values) is counted. */
export function lintPolicyDocuments(documents: readonly SourceDocument[], schemas: KubernetesSchemas): PolicyLint {
  const crds = schemas.withCustomResources(documents.map((d) => d.value).filter(isKubernetesObject));
  const policies = documents.filter(isPolicyDocument);
  const findings = policies.flatMap((document) => {
    const diagnostics = diagnosticsOf(document, policies, crds.resources());
    return isKyvernoPolicy(document)
      ? lintKyvernoPolicy(document, crds, distinct(diagnostics))
      : distinct(diagnostics).map((d) => diagnosticFinding(document, d));
  });
  return { findings, policies, others: documents.length - policies.length };
}

/** Of some kinds one document says nothing without others: those that it is compiled with. */
function contextOf({ value }: PolicyDocument, policies: readonly PolicyDocument[]): readonly PolicyDocument[] {
  const group = groupOf(value);
  const wanted = {
    "constraints.gatekeeper.sh": "templates.gatekeeper.sh",
    "mutations.gatekeeper.sh": group,
    "castellan.dev": group,
  }[group];
  return wanted === undefined ? [] : policies.filter((other) => other.value !== value && groupOf(other.value) === wanted);
}

/** What is wrong with the document itself. */
function diagnosticsOf(
  document: PolicyDocument,
  policies: readonly PolicyDocument[],
  resources: ApiResources,
): readonly Diagnostic[] {
  const context = contextOf(document, policies);
  const compile = (documents: readonly PolicyDocument[]): readonly Diagnostic[] =>
    isAccessDocument(document)
      ? compileAccess(documents.filter(isAccessDocument)).diagnostics
      : compilePolicies(documents, resources).diagnostics;
  const diagnostics = compile([document, ...context]);
  if (context.length === 0) return diagnostics;
  const isOwn = ({ span }: Diagnostic) => span === undefined || span.file === document.file;
  const others = new Set(compile(context).map(identity));
  return diagnostics.filter((d) => isOwn(d) && !others.has(identity(d)));
}

const identity = ({ code, message, span }: Diagnostic): string => `${code} ${message} ${span?.file} ${span?.start.offset}`;

/** Generated rules repeat what is wrong with the rule they come from. */
function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...new Map(diagnostics.map((d) => [`${d.code} ${d.message}`, d])).values()];
}

function isPolicyDocument(document: SourceDocument): document is PolicyDocument {
  return isKubernetesObject(document.value) && (isPolicyObject(document.value) || isAccessDocument(document));
}

function isKyvernoPolicy({ value }: PolicyDocument): boolean {
  return groupOf(value) === "kyverno.io" && (value.kind === "ClusterPolicy" || value.kind === "Policy");
}
