import { mkdir, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  loadComponentDocument,
  loadDefaultRbacObjects,
  loadKubernetesSchemas,
  loadWorkloadCatalogue,
} from "../adapters/files/catalog.ts";
import { loadDefaultPacks } from "../adapters/files/packs.ts";
import type { LoadedCluster } from "../adapters/kubernetes/load-cluster.ts";
import { parseComponents } from "../analysis/network/catalogue/parse-components.ts";
import { readDefaultRbac } from "../analysis/rbac/world.ts";
import { writeYaml } from "../report/index.ts";
import { type ScanResult, scan, scanChecks } from "../services/scan.ts";
import { type StarterProposal, starterProposal } from "../services/starter-proposal.ts";
import { type CommandContext, found, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { initText } from "./init-text.ts";
import { nodeHost } from "./node-host.ts";
import { createProgress, type Progress } from "./progress.ts";
import { writeDiagnostics } from "./run-audit-text.ts";
import { writeFile } from "./write-report.ts";

export interface InitFlags {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly write?: string;
  readonly output: "text" | "json";
}

/** What was looked at, and how long it took. */
export interface Looked {
  readonly context: string;
  readonly objects: number;
  readonly namespaces: number;
  readonly loadMilliseconds: number;
  readonly judgeMilliseconds: number;
}

export async function runInit(flags: InitFlags, context: CommandContext): Promise<void> {
  const { io } = context;
  const progress = createProgress(io);
  const start = io.now();
  const cluster = await loaded(flags, progress);
  const loadedAt = io.now();
  const packs = loadDefaultPacks();
  const result = await judged(cluster, packs, progress, context);
  progress.clear();
  const objects = cluster.documents.map(({ value }) => value);
  const proposal = starterProposal(objects, result.findings, packs, cluster.resources);
  const looked: Looked = {
    context: cluster.context,
    objects: objects.length,
    namespaces: objects.filter(({ kind }) => kind === "Namespace").length,
    loadMilliseconds: loadedAt - start,
    judgeMilliseconds: io.now() - loadedAt,
  };
  if (flags.write !== undefined) await writeStarter(flags.write, proposal, packs);
  if (flags.output === "json") io.out(`${JSON.stringify({ ...looked, ...proposal }, null, 2)}\n`);
  else io.out(initText(looked, proposal, flags));
  writeDiagnostics(cluster.diagnostics, context);
  if (cluster.diagnostics.length > 0) context.exit(exitCodes.incomplete);
}

async function loaded(flags: InitFlags, progress: Progress): Promise<LoadedCluster> {
  // The HTTP client costs more to load than to answer --help.
  const { loadCluster } = await import("../adapters/kubernetes/load-cluster.ts");
  const cluster = await loadCluster({
    context: flags.context,
    kubeconfig: flags.kubeconfig,
    onProgress: (done, total) => progress.show(`loading ${done} of ${total} kinds of objects`),
  });
  return found(cluster);
}

function judged(
  { documents, resources, diagnostics }: LoadedCluster,
  packs: ReturnType<typeof loadDefaultPacks>,
  progress: Progress,
  { io }: CommandContext,
): Promise<ScanResult> {
  return scan({
    documents,
    policies: undefined,
    packs: () => packs,
    exceptions: [],
    checks: new Set(scanChecks),
    namespace: "default",
    complete: diagnostics.length === 0,
    workloads: "autogen",
    schemas: loadKubernetesSchemas(),
    discovered: resources,
    catalogue: loadWorkloadCatalogue,
    defaultRbac: () => readDefaultRbac(loadDefaultRbacObjects()),
    components: () => {
      const parsed = parseComponents([loadComponentDocument()]);
      if (!parsed.ok) throw new Error(`catalog/components.yaml: ${parsed.diagnostics[0]?.message}`);
      return parsed.value;
    },
    host: nodeHost(io),
    passes: false,
    onProgress: (done, total) => progress.show(`checking ${done} of ${total} objects`),
  });
}

/** Policies as the pack has them, reporting alone, and the labels of namespaces; never over something that is there. */
async function writeStarter(
  directory: string,
  { policies, podSecurity }: StarterProposal,
  packs: ReturnType<typeof loadDefaultPacks>,
): Promise<void> {
  const there = await readdir(directory).catch(() => []);
  if (there.length > 0) throw new UsageError(`${directory} is not empty: name a new directory`);
  await mkdir(join(directory, "policies"), { recursive: true });
  const wanted = new Set(policies.map(({ policy }) => policy));
  for (const { file, value } of packs) {
    const name = basename(file);
    if (wanted.has(name.replace(/\.yaml$/, ""))) writeFile(join(directory, "policies", name), writeYaml(value));
  }
  const namespaces = podSecurity.map(({ namespace, enforce }) => {
    const level = "pod-security.kubernetes.io";
    const labels = { [`${level}/enforce`]: enforce, [`${level}/warn`]: "restricted", [`${level}/audit`]: "restricted" };
    return writeYaml({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels } });
  });
  if (namespaces.length > 0) writeFile(join(directory, "namespaces.yaml"), namespaces.join("---\n"));
}
