import type { DefaultRbac } from "../analysis/rbac/world.ts";
import type { ApiResources } from "../core/api-resources.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Finding, RuleStatus, StatusCounts } from "../core/finding.ts";
import type { Host } from "../core/host.ts";
import { groupOf, isKubernetesObject } from "../core/kubernetes.ts";
import type { KubernetesSchemas } from "../core/schema.ts";
import type { SourceDocument } from "../core/source.ts";
import type { WorkloadCatalogue } from "../core/workload/catalogue.ts";
import { PolicySet, policyName } from "../engine/index.ts";
import { podSecurityPolicies } from "../policies/pod-security/index.ts";
import { packPolicies } from "./pack-policies.ts";
import { compilePolicies, isPolicyObject } from "./policies.ts";
import { scanObjects } from "./scan-objects.ts";
import { scannedFacts } from "./scanned-facts.ts";
import { inScanNamespace, type ObjectDocument, scannedObjects } from "./scanned-objects.ts";

/** What `--checks` selects from: policies (the built-in ones where none are given), the linter of resources, and who may do what. */
export const scanChecks = ["policies", "resources", "rbac"] as const;
export type ScanCheck = (typeof scanChecks)[number];

export interface ScanRequest {
  /** What is judged. */
  readonly documents: readonly SourceDocument[];
  /** Policies given by hand, with their exceptions; undefined: the built-in ones. */
  readonly policies: readonly SourceDocument[] | undefined;
  /** The built-in policies beside Pod Security; asked for only where they judge. */
  readonly packs: () => readonly SourceDocument[];
  readonly exceptions: readonly SourceDocument[];
  readonly checks: ReadonlySet<ScanCheck>;
  /** Where objects that name no namespace would be applied. */
  readonly namespace: string;
  /** Whether the documents are everything that a cluster holds. */
  readonly complete: boolean;
  /** Which pods Kyverno policies see: those that autogen reaches, or those of custom kinds, too. */
  readonly workloads: "autogen" | "all";
  readonly schemas: KubernetesSchemas;
  /** What a live API server serves, where one was asked. */
  readonly discovered?: ApiResources;
  /** Where custom kinds hold their pods; asked for only where somebody looks there. */
  readonly catalogue: () => WorkloadCatalogue;
  /** The roles and bindings that Kubernetes makes itself. */
  readonly defaultRbac: () => DefaultRbac;
  readonly host: Host;
  /** Whether passes and skips become findings, too. */
  readonly passes: boolean;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface ScanResult {
  readonly findings: readonly Finding[];
  readonly counts: StatusCounts;
  readonly diagnostics: readonly Diagnostic[];
  readonly objects: number;
  /** Documents that are no Kubernetes objects. */
  readonly others: number;
  /** Policies among the objects: they were judged, not applied. */
  readonly policyObjects: number;
  /** Names of the policies and analyses that judged. */
  readonly policies: readonly string[];
}

/** Judges every object among the documents by the policies and the analyses that were asked for. */
export async function scan(request: ScanRequest): Promise<ScanResult> {
  const { documents, namespace, schemas, discovered, checks, host, passes, catalogue, onProgress } = request;
  const values = documents.map((d) => d.value).filter(isKubernetesObject);
  const resources = discovered ?? schemas.withCustomResources(values).resources();
  const { objects, others, diagnostics } = scannedObjects(documents, namespace, resources);
  const compiled = checks.has("policies") ? policiesOf(request, resources) : noPolicies;
  const judged = scanObjects({
    objects,
    policies: compiled.set,
    resources,
    facts: scannedFacts({ objects: objects.map((d) => d.value), resources, complete: request.complete }),
    host,
    passes,
    workloads: compiled.forWorkloads === undefined ? undefined : { catalogue: catalogue(), policies: compiled.forWorkloads },
    ...(onProgress === undefined ? {} : { onProgress: (done) => onProgress(done, objects.length) }),
  });
  const linted = checks.has("resources") ? await lintObjects(request, resources) : [];
  const audited = checks.has("rbac") ? await auditAccess(request, objects) : { findings: [], diagnostics: [] };
  const analysed = [...linted, ...audited.findings];
  return {
    findings: [...judged.findings, ...analysed],
    counts: addFindings(judged.counts, analysed),
    diagnostics: [...compiled.diagnostics, ...diagnostics, ...audited.diagnostics],
    objects: objects.length,
    others,
    policyObjects: objects.filter((d) => isPolicyObject(d.value)).length,
    policies: [
      ...compiled.set.policies.map((p) => policyName(p.id)),
      ...(checks.has("resources") ? ["lint"] : []),
      ...(checks.has("rbac") ? ["rbac"] : []),
    ],
  };
}

/** The linter is many files: who does not ask for it does not wait for them. */
async function lintObjects(request: ScanRequest, resources: ApiResources): Promise<readonly Finding[]> {
  const { lint } = await import("../analysis/resources/lint.ts");
  const { documents, schemas, discovered, namespace } = request;
  const findings = lint({ documents, schemas, ...(discovered === undefined ? {} : { discovered }) });
  return findings.map((f) => inScanNamespace(f, namespace, resources));
}

/** Loaded where there are roles or bindings to judge. */
async function auditAccess(request: ScanRequest, objects: readonly ObjectDocument[]) {
  const rbacGroup = "rbac.authorization.k8s.io";
  if (!objects.some((d) => groupOf(d.value) === rbacGroup)) return { findings: [], diagnostics: [] };
  const [{ auditRbac }, { rbacWorld }] = await Promise.all([
    import("../analysis/rbac/audit/audit.ts"),
    import("../analysis/rbac/world.ts"),
  ]);
  const { namespace, complete, catalogue, defaultRbac } = request;
  const world = rbacWorld({ documents: objects, namespace, complete, defaults: defaultRbac(), catalogue: catalogue() });
  return { findings: auditRbac(world), diagnostics: world.diagnostics };
}

interface ScanPolicies {
  readonly set: PolicySet;
  readonly diagnostics: readonly Diagnostic[];
  /** Those that judge the pods of custom kinds as if they were pods. */
  readonly forWorkloads: PolicySet | undefined;
}

const noPolicies: ScanPolicies = { set: new PolicySet([]), diagnostics: [], forWorkloads: undefined };

/** A scan by no policy must not look clean. */
function noPolicyFound(documents: readonly SourceDocument[]): Diagnostic {
  const [first] = documents;
  const start = { offset: 0, line: 1, column: 1 };
  return {
    code: "POLICIES_NONE",
    severity: "error",
    message: "there is no policy that can run in what --policies names",
    span: first === undefined ? { file: "--policies", start, end: start } : first.locate([]),
  };
}

function policiesOf({ policies, packs, exceptions, catalogue, workloads }: ScanRequest, resources: ApiResources): ScanPolicies {
  const lifting = exceptions.filter(isObjectDocument);
  if (policies === undefined) {
    const own = packPolicies(packs(), { resources, exceptions: lifting });
    // Pod Security finds the pods of custom kinds itself.
    const set = new PolicySet([...podSecurityPolicies({ catalogue: catalogue() }), ...own]);
    return { set, diagnostics: [], forWorkloads: new PolicySet(own) };
  }
  const { set, diagnostics: found } = compilePolicies(policies, resources, lifting);
  const diagnostics = [...found, ...(set.policies.length === 0 ? [noPolicyFound(policies)] : [])];
  return { set, diagnostics, forWorkloads: workloads === "all" ? set : undefined };
}

function addFindings(counts: StatusCounts, findings: readonly Finding[]): StatusCounts {
  const sum: { [status in RuleStatus]: number } = { ...counts };
  for (const { status } of findings) sum[status]++;
  return sum;
}

function isObjectDocument(document: SourceDocument): document is ObjectDocument {
  return isKubernetesObject(document.value);
}
