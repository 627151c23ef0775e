import type { ApiResources } from "../../core/api-resources.ts";
import type { Finding } from "../../core/finding.ts";
import type { JsonValue } from "../../core/json.ts";
import { isKubernetesObject, type KubernetesObject } from "../../core/kubernetes.ts";
import { gvkKey, type KubernetesSchemas, type Schema } from "../../core/schema.ts";
import type { SourceDocument } from "../../core/source.ts";
import type { WorkloadCatalogue } from "../../core/workload/catalogue.ts";
import { apiVersionCheck } from "./api-version.ts";
import { auditPolicyCheck } from "./audit/check-audit-policy.ts";
import { duplicateIssues } from "./duplicate-object.ts";
import { type CustomSchemas, fieldChecker } from "./fields/check-fields.ts";
import { type LintIssue, toFinding } from "./issue.ts";
import { limitRangeCheck } from "./limits/check-limit-range.ts";
import { metadataCheck } from "./metadata.ts";
import { networkPolicyCheck } from "./network/check-network-policy.ts";
import type { LintContext, ObjectCheck } from "./object-check.ts";
import { holdsMergeDirective, lacksImages, partialFiles } from "./partial.ts";
import { promisesCheck } from "./promises/check-promises.ts";
import { podSecurityLabelsCheck } from "./promises/pod-security-labels.ts";
import { quotaCheck } from "./quota/check-quota.ts";
import { rbacRulesCheck } from "./rbac/check-rules.ts";
import { groupKind, type ObjectDocument, scannedSet } from "./scanned-set.ts";
import { plainSecretCheck } from "./secrets/plain-secret.ts";
import { secretDataCheck } from "./secrets/secret-data.ts";
import { containerResourcesCheck } from "./workload/container-resources.ts";
import { podResourcesCheck } from "./workload/pod-resources.ts";
import { podTemplateCheck } from "./workload/pod-template.ts";

const checks: readonly ObjectCheck[] = [
  apiVersionCheck,
  rbacRulesCheck,
  quotaCheck,
  limitRangeCheck,
  podResourcesCheck,
  containerResourcesCheck,
  podTemplateCheck,
  metadataCheck,
  auditPolicyCheck,
  networkPolicyCheck,
  promisesCheck,
  podSecurityLabelsCheck,
  secretDataCheck,
  plainSecretCheck,
];

export interface LintInput {
  /** All documents, also those that are no Kubernetes objects: a kustomization names the files that are patches. */
  readonly documents: readonly SourceDocument[];
  /** Of the built-in kinds; CustomResourceDefinitions among the documents are added. */
  readonly schemas: KubernetesSchemas;
  /** What a live API server serves, where it was asked: then every API group is known. */
  readonly discovered?: ApiResources;
  /** Where custom kinds hold pods; without it only built-in workloads are judged. */
  readonly workloads?: WorkloadCatalogue;
  /** Of documents that are judged a few at a time: what can be said of each alone, or what depends on others; undefined: both. */
  readonly part?: LintPart;
  /** CustomResourceDefinitions beside those among the documents. */
  readonly definitions?: readonly ObjectDocument[];
}

export type LintPart = "alone" | "together";

/** Judges every document by its schema and by the traps people fall into. Linear in the size of the documents. */
export function lint(input: LintInput): readonly Finding[] {
  const { documents, schemas, part: wanted, definitions = [] } = input;
  const objects = documents.filter(isObjectDocument);
  const partial = partialFiles(documents);
  const parts = new Set(
    objects.filter(({ file, value }) => partial.has(file) || holdsMergeDirective(value) || lacksImages(value)),
  );
  const whole = objects.filter((document) => !parts.has(document));
  const context = lintContext(whole, input);
  const fields = wanted === "together" ? undefined : fieldChecker(schemas, customSchemas([...definitions, ...whole], schemas));
  const checksOf = checkIndex(checks.filter((c) => wanted === undefined || (wanted === "together") === (c.looksAround ?? false)));
  const findings: Finding[] = [];
  const add = (document: ObjectDocument, issues: readonly LintIssue[]) => {
    for (const issue of issues) findings.push(toFinding(document, issue));
  };
  for (const document of objects) {
    const object = document.value;
    const part = parts.has(document);
    if (fields !== undefined) add(document, fields.check(object, part));
    for (const check of checksOf(groupKind(object))) {
      if (!part || check.judgesParts === true) add(document, check.check(object, context, document));
    }
  }
  if (wanted !== "alone") for (const [document, issue] of duplicateIssues(whole)) add(document, [issue]);
  return findings;
}

function isObjectDocument(document: SourceDocument<JsonValue>): document is ObjectDocument {
  return isKubernetesObject(document.value);
}

function lintContext(
  documents: readonly ObjectDocument[],
  { schemas, discovered, workloads }: Omit<LintInput, "documents">,
): LintContext {
  const builtIn = schemas.builtInGroups();
  return {
    schemas,
    resources: discovered ?? schemas.withCustomResources(documents.map((document) => document.value)).resources(),
    knowsGroup: (group: string) => builtIn.has(group) || (discovered?.hasGroup(group) ?? false),
    set: scannedSet(documents),
    workloads,
  };
}

function customSchemas(documents: readonly ObjectDocument[], schemas: KubernetesSchemas): CustomSchemas {
  const found = new Map<string, Schema[]>();
  for (const { value } of documents) {
    for (const [gvk, schema] of definedBy(value, schemas)) {
      const key = gvkKey(gvk);
      const known = found.get(key);
      if (known === undefined) found.set(key, [schema]);
      else known.push(schema);
    }
  }
  return found;
}

/** Definitions are large, and asked for with each group of objects that is judged. */
const knownDefinitions = new WeakMap<KubernetesObject, ReturnType<KubernetesSchemas["customResourceSchemas"]>>();

function definedBy(object: KubernetesObject, schemas: KubernetesSchemas) {
  if (object.kind !== "CustomResourceDefinition") return [];
  const known = knownDefinitions.get(object) ?? schemas.customResourceSchemas(object);
  knownDefinitions.set(object, known);
  return known;
}

function checkIndex(wanted: readonly ObjectCheck[]): (kind: string) => readonly ObjectCheck[] {
  const byKind = new Map<string, readonly ObjectCheck[]>();
  return (kind) => {
    const known = byKind.get(kind) ?? wanted.filter((check) => check.kinds?.includes(kind) ?? true);
    byKind.set(kind, known);
    return known;
  };
}
