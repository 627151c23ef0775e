import type { ComponentCatalogue } from "../analysis/network/catalogue/component.ts";
import type { DefaultRbac, RbacWorld } from "../analysis/rbac/world.ts";
import type { LintPart } from "../analysis/resources/lint.ts";
import type { UncheckedKind } from "../analysis/resources/unchecked-kinds.ts";
import type { ApiResources } from "../core/api-resources.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Finding, RuleStatus, StatusCounts } from "../core/finding.ts";
import type { Host } from "../core/host.ts";
import { groupOf, isKubernetesObject } from "../core/kubernetes.ts";
import { once } from "../core/once.ts";
import type { KubernetesSchemas } from "../core/schema.ts";
import type { SourceDocument } from "../core/source.ts";
import type { WorkloadCatalogue } from "../core/workload/catalogue.ts";
import { PolicySet, policyName } from "../engine/index.ts";
import { formatsFor, type PolicyFormats } from "../policies/formats.ts";
import { podSecurityPolicies } from "../policies/pod-security/index.ts";
import { compileBy, isPolicyOf } from "./compile-policies.ts";
import { tellAtOnce } from "./live/kept-findings.ts";
import { packPolicies } from "./pack-policies.ts";
import { auditNetworks } from "./scan-network.ts";
import { scanObjects } from "./scan-objects.ts";
import { scannedFacts } from "./scanned-facts.ts";
import { inScanNamespace, type ObjectDocument, scannedObjects } from "./scanned-objects.ts";

/** What `--checks` selects from: policies (the built-in ones where none are given), the linter of resources, who may do what, who may talk to whom, and alerts. */
export const scanChecks = ["policies", "resources", "rbac", "network", "metrics"] as const;
export type ScanCheck = (typeof scanChecks)[number];

export interface ScanRequest {
  /** What is judged. */
  readonly documents: readonly SourceDocument[];
  /** Policies given by hand, with their exceptions, and the paths they came from; undefined: the built-in ones. */
  readonly policies: { readonly documents: readonly SourceDocument[]; readonly sources: readonly string[] } | undefined;
  /** The built-in policies judge the same documents beside this scan: what they say, too, is not said twice. */
  readonly besideBuiltIn?: boolean;
  /** Where documents are judged a few at a time: which part of the linter's checks, and the CustomResourceDefinitions among all of them. */
  readonly linted?: { readonly part: LintPart; readonly definitions: readonly ObjectDocument[] };
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
  /** Parts of AI platforms, by which data stores are recognised; asked for only where networks are judged. */
  readonly components?: () => ComponentCatalogue;
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
  /** Names of the policies that judged. */
  readonly policies: readonly string[];
  /** Names of the analyses beside them. */
  readonly analyses: readonly string[];
  /** What could not be compared with a schema: one line each. */
  readonly notes: readonly string[];
}

/** Judges every object among the documents by the policies and the analyses that were asked for. */
export async function scan(request: ScanRequest): Promise<ScanResult> {
  const { documents, namespace, schemas, discovered, checks, host, passes, catalogue, onProgress } = request;
  const values = documents.map((d) => d.value).filter(isKubernetesObject);
  const resources = discovered ?? schemas.withCustomResources(values).resources();
  const { objects, others, diagnostics } = scannedObjects(documents, namespace, resources);
  const formats = await formatsFor([...documents, ...(request.policies?.documents ?? []), ...request.exceptions]);
  const compiled = checks.has("policies") ? policiesOf(request, resources, formats) : noPolicies;
  const access = await accessOf(request, objects);
  const judged = scanObjects({
    objects,
    policies: compiled.set,
    resources,
    facts: scannedFacts({
      objects: objects.map((d) => d.value),
      resources,
      complete: request.complete,
      access: access && (() => access().index),
    }),
    host,
    passes,
    tell: tellAtOnce,
    workloads: compiled.forWorkloads === undefined ? undefined : { catalogue: catalogue(), policies: compiled.forWorkloads },
    ...(onProgress === undefined ? {} : { onProgress: (done) => onProgress(done, objects.length) }),
  });
  const linted = checks.has("resources") ? await lintObjects(request, resources) : noLint;
  const audited = checks.has("rbac") && access !== undefined ? await auditAccess(access()) : { findings: [], diagnostics: [] };
  const networks = checks.has("network")
    ? await auditNetworks({
        objects,
        namespace,
        complete: request.complete,
        catalogue,
        components: request.components?.(),
        isLinted: checks.has("resources"),
      })
    : { findings: [], diagnostics: [] };
  const alerts = checks.has("metrics") ? await auditAlerts(objects) : [];
  const analysed = [...linted.findings, ...audited.findings, ...networks.findings, ...alerts];
  return {
    findings: [...judged.findings, ...analysed],
    counts: addFindings(judged.counts, analysed),
    diagnostics: [...compiled.diagnostics, ...diagnostics, ...audited.diagnostics, ...networks.diagnostics],
    objects: objects.length,
    others,
    policyObjects: objects.filter((d) => isPolicyOf(formats, d.value)).length,
    policies: compiled.set.policies.map((p) => policyName(p.id)),
    analyses: [
      ...(checks.has("resources") ? ["lint"] : []),
      ...(checks.has("rbac") ? ["rbac"] : []),
      ...(checks.has("network") ? ["network"] : []),
      ...(checks.has("metrics") ? ["metrics"] : []),
    ],
    notes: linted.notes,
  };
}

/** Loaded where there is an alert. */
async function auditAlerts(objects: readonly ObjectDocument[]): Promise<readonly Finding[]> {
  if (!objects.some(({ value }) => value.kind === "PrometheusRule")) return [];
  const { lintAlerts } = await import("../analysis/metrics/lint-alerts.ts");
  return lintAlerts(objects).findings;
}

interface Linted {
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}

const noLint: Linted = { findings: [], notes: [] };

/** The linter is many files: who does not ask for it does not wait for them. */
async function lintObjects(request: ScanRequest, resources: ApiResources): Promise<Linted> {
  const [{ lint }, { uncheckedKinds }, { incompleteTemplates }] = await Promise.all([
    import("../analysis/resources/lint.ts"),
    import("../analysis/resources/unchecked-kinds.ts"),
    import("./scan-templates.ts"),
  ]);
  const { documents, schemas, discovered, namespace, checks, policies, besideBuiltIn = false, linted } = request;
  const findings = lint({ documents, schemas, ...linted, ...(discovered === undefined ? {} : { discovered }) });
  const templates = linted?.part === "together" ? [] : incompleteTemplates(documents);
  // The built-in policies speak of PodSecurityPolicies, too, and say what takes their place.
  const isBuiltIn = besideBuiltIn || (checks.has("policies") && policies === undefined);
  const spoken = isBuiltIn ? findings.filter((f) => !isGonePodSecurity(f)) : findings;
  return {
    findings: [...spoken.map((f) => inScanNamespace(f, namespace, resources)), ...templates],
    notes: linted === undefined ? uncheckedNotes(uncheckedKinds(documents, schemas)) : [],
  };
}

function isGonePodSecurity({ check, resource }: Finding): boolean {
  return check.policy === "lint/api-version" && resource.kind === "PodSecurityPolicy";
}

/** More kinds than these share a line. */
const ownLines = 5;

function uncheckedNotes(kinds: readonly UncheckedKind[]): readonly string[] {
  const named = kinds.map(({ kind, objects }) => `${kind} (${objects === 1 ? "1 object" : `${objects} objects`})`);
  const hint = "add its CustomResourceDefinition to the scan";
  if (named.length <= ownLines) return named.map((name) => `fields not checked: no schema for ${name}; ${hint}`);
  return [
    `fields not checked: no schemas for ${named.length} kinds: ${named.join(", ")}; add their CustomResourceDefinitions to the scan`,
  ];
}

/** Who may do what by the scanned roles and bindings, where there are any; worked out when somebody asks. */
async function accessOf(request: ScanRequest, documents: readonly ObjectDocument[]): Promise<(() => RbacWorld) | undefined> {
  const rbacGroup = "rbac.authorization.k8s.io";
  if (!documents.some((d) => groupOf(d.value) === rbacGroup)) return undefined;
  const { rbacWorld } = await import("../analysis/rbac/world.ts");
  const { namespace, complete, catalogue, defaultRbac } = request;
  return once(() => rbacWorld({ documents, namespace, complete, defaults: defaultRbac(), catalogue: catalogue() }));
}

async function auditAccess(world: RbacWorld) {
  const { auditRbac } = await import("../analysis/rbac/audit/audit.ts");
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
function noPolicyFound(sources: readonly string[]): Diagnostic {
  const start = { offset: 0, line: 1, column: 1 };
  return {
    code: "POLICIES_NONE",
    severity: "error",
    message: `there is no policy that can run in ${sources.join(", ")}`,
    span: { file: sources[0] ?? "--policies", start, end: start },
  };
}

function policiesOf(
  { policies, packs, exceptions, catalogue, workloads }: ScanRequest,
  resources: ApiResources,
  formats: PolicyFormats,
): ScanPolicies {
  const lifting = exceptions.filter(isObjectDocument);
  if (policies === undefined) {
    const own = packPolicies(packs(), { resources, exceptions: lifting });
    // Pod Security finds the pods of custom kinds itself.
    const set = new PolicySet([...podSecurityPolicies({ catalogue: catalogue() }), ...own]);
    return { set, diagnostics: [], forWorkloads: new PolicySet(own) };
  }
  const { set, diagnostics: found } = compileBy(formats, policies.documents, resources, lifting);
  const diagnostics = [...found, ...(set.policies.length === 0 ? [noPolicyFound(policies.sources)] : [])];
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
