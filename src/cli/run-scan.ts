import { loadDefaultRbacObjects, loadKubernetesSchemas, loadWorkloadCatalogue } from "../adapters/files/catalog.ts";
import { loadPaths } from "../adapters/files/load-paths.ts";
import { describeSkipped, type LoadedPaths } from "../adapters/files/loaded-paths.ts";
import { loadDefaultPacks } from "../adapters/files/packs.ts";
import { readDefaultRbac } from "../analysis/rbac/world.ts";
import type { ApiResources } from "../core/api-resources.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { type Finding, type Severity, severityAtLeast } from "../core/finding.ts";
import { buildReport, isComplete, type Report } from "../report/index.ts";
import { applyBaseline, type Baseline, baselineObject, readBaseline } from "../services/baseline.ts";
import { withEdits } from "../services/fix-edits.ts";
import { type ScanResult, scan } from "../services/scan.ts";
import { withSchemaFindings } from "../services/scan-schema.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { builtInComponents } from "./components.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { nodeHost } from "./node-host.ts";
import { createProgress, type Progress } from "./progress.ts";
import type { ScanFlags } from "./scan.ts";
import { writeReport, writeYamlFile } from "./write-report.ts";

/** Loads, judges, reports, and says how it ended. */
export async function runScan(paths: readonly string[], flags: ScanFlags, context: CommandContext): Promise<void> {
  if (paths.length === 0 && flags.cluster !== true)
    throw new UsageError("name what to scan: paths, - for standard input, or --cluster");
  if ([...paths, ...(flags.policies ?? []), ...(flags.exceptions ?? [])].filter((path) => path === "-").length > 1)
    throw new UsageError("standard input can be read once: only one of the paths may be -");
  if (flags.schema !== true && (flags.crds ?? flags.old) !== undefined)
    throw new UsageError("--crds and --old belong to --schema");
  const progress = createProgress(context.io);
  progress.show("loading");
  const policies = flags.policies === undefined ? undefined : await loadPaths(flags.policies, { rego: true });
  const exceptions = await loadPaths(flags.exceptions ?? []);
  const baseline = flags.baseline === undefined ? undefined : await loadBaseline(flags.baseline);
  const input = await loadInput(paths, flags, progress);
  const scanned = await scan({
    documents: input.documents,
    policies: policies === undefined ? undefined : { documents: policies.documents, sources: flags.policies ?? [] },
    packs: loadDefaultPacks,
    exceptions: exceptions.documents,
    checks: new Set(flags.checks),
    namespace: flags.namespace ?? "default",
    complete: input.complete,
    ...(input.discovered === undefined ? {} : { discovered: input.discovered }),
    schemas: loadKubernetesSchemas(),
    catalogue: loadWorkloadCatalogue,
    defaultRbac: () => readDefaultRbac(loadDefaultRbacObjects()),
    components: builtInComponents,
    host: nodeHost(context.io),
    passes: flags.passes === true,
    workloads: flags.workloads,
    onProgress: (done, total) => progress.show(`checking ${done} of ${total} objects`),
  });
  const definitions = await loadPaths(flags.crds ?? []);
  const before = await loadPaths(flags.old ?? []);
  const result = flags.schema === true ? await withSchemas(scanned, { input, definitions, before, flags }) : scanned;
  progress.clear();
  if (flags.writeBaseline !== undefined) writeYamlFile(flags.writeBaseline, baselineObject(result.findings));
  const read = [
    ...(policies?.diagnostics ?? []),
    ...[exceptions, definitions, before, input].flatMap((loaded) => loaded.diagnostics),
  ];
  const report = reportOf(result, read, baseline, { input, flags, context });
  writeReport(report, flags, context);
  // Who accepts all findings has none left; what could not be checked is not accepted.
  context.exit(exitCodeOf(report, flags.writeBaseline === undefined ? flags.failOn : "never"));
}

interface SchemaInput {
  readonly input: Input;
  readonly definitions: LoadedPaths;
  readonly before: LoadedPaths;
  readonly flags: ScanFlags;
}

function withSchemas(result: ScanResult, { input, definitions, before, flags }: SchemaInput): Promise<ScanResult> {
  return withSchemaFindings(result, {
    documents: input.documents,
    definitions: definitions.documents,
    before: before.documents,
    namespace: flags.namespace ?? "default",
    schemas: loadKubernetesSchemas(),
  });
}

interface Input extends LoadedPaths {
  readonly sources: readonly string[];
  readonly complete: boolean;
  readonly discovered?: ApiResources;
}

/** Files, a live cluster, or both; of a cluster everything is known only where everything could be read. */
async function loadInput(paths: readonly string[], flags: ScanFlags, progress: Progress): Promise<Input> {
  const files = await loadPaths(paths, { render: flags.render });
  const { documents, diagnostics, skipped } = files;
  if (flags.cluster !== true) return { documents, diagnostics, skipped, sources: paths, complete: false };
  // The HTTP client costs more to load than a small scan.
  const { loadCluster } = await import("../adapters/kubernetes/load-cluster.ts");
  const cluster = await loadCluster({
    context: flags.context,
    namespaces: flags.namespace === undefined ? undefined : [flags.namespace],
    onProgress: (done, total) => progress.show(`loading ${done} of ${total} kinds of objects`),
  });
  const live = cluster.ok ? cluster.value : { context: "", documents: [], diagnostics: [] };
  return {
    documents: [...documents, ...live.documents],
    diagnostics: [...diagnostics, ...live.diagnostics, ...cluster.diagnostics],
    skipped,
    sources: [...paths, `cluster ${live.context}`.trim()],
    complete: cluster.ok && live.diagnostics.length === 0 && flags.namespace === undefined,
    ...(cluster.ok ? { discovered: cluster.value.resources } : {}),
  };
}

async function loadBaseline(file: string): Promise<Baseline> {
  const { documents, diagnostics } = await loadPaths([file]);
  const baseline = readBaseline(documents);
  const [problem] = [...diagnostics.filter((d) => d.severity === "error"), ...(baseline.ok ? [] : baseline.diagnostics)];
  if (problem !== undefined || !baseline.ok) throw new UsageError(`--baseline ${file}: ${problem?.message ?? "it is empty"}`);
  return baseline.value;
}

interface Surroundings {
  readonly input: Input;
  readonly flags: ScanFlags;
  readonly context: CommandContext;
}

function reportOf(result: ScanResult, read: readonly Diagnostic[], baseline: Baseline | undefined, around: Surroundings): Report {
  const { input, flags, context } = around;
  const files = new Set(input.documents.map((d) => d.file).filter((file) => !file.startsWith("cluster:"))).size;
  const { kept, accepted } =
    baseline === undefined ? { kept: result.findings, accepted: 0 } : applyBaseline(result.findings, baseline);
  const wanted = kept.filter((f) => isWanted(f, flags.severity));
  const below = kept.length - wanted.length;
  const hidden = below > 0 ? `${below} findings below ${flags.severity} were left out` : undefined;
  return buildReport({
    tool: { name: "castellan", version: context.version },
    at: context.io.now(),
    inputs: {
      sources: input.sources,
      files,
      objects: result.objects,
      policies: result.policies,
      analyses: result.analyses,
    },
    findings: flags.output === "sarif" ? withEdits(wanted, input.documents) : wanted,
    counts: result.counts,
    diagnostics: [...read, ...result.diagnostics],
    notes: notes(result, input, hidden),
    accepted,
  });
}

function notes(result: ScanResult, { skipped }: LoadedPaths, hidden: string | undefined): readonly string[] {
  const others =
    result.others === 1 ? "1 document is no Kubernetes object" : `${result.others} documents are no Kubernetes objects`;
  const policies = `${result.policyObjects} policies among the objects were scanned, not applied; name them with --policies to apply them`;
  return [
    ...(hidden === undefined ? [] : [hidden]),
    ...describeSkipped(skipped),
    ...result.notes,
    ...(result.others > 0 ? [others] : []),
    ...(result.policyObjects > 0 ? [policies] : []),
  ];
}

/** What could not be checked is shown whatever its severity: nobody knows how bad it is. */
function isWanted(finding: Finding, floor: Severity | undefined): boolean {
  return floor === undefined || finding.status === "error" || severityAtLeast(finding.severity, floor);
}

/** A result that is not complete outranks findings. */
export function exitCodeOf(report: Report, failOn: Severity | "never"): ExitCode {
  if (!isComplete(report)) return exitCodes.incomplete;
  const fails = failOn !== "never" && report.findings.some((f) => f.status === "fail" && severityAtLeast(f.severity, failOn));
  return fails ? exitCodes.findings : exitCodes.clean;
}
