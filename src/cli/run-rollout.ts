import { loadKubernetesSchemas } from "../adapters/files/catalog.ts";
import { loadPaths } from "../adapters/files/load-paths.ts";
import type { ApiResources } from "../core/api-resources.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { asString, isObject, type JsonValue, member } from "../core/json.ts";
import { isKubernetesObject } from "../core/kubernetes.ts";
import type { CompiledPolicy, Enforcement } from "../policies/policy.ts";
import { compilePolicies } from "../services/policies.ts";
import { noHistory, readHistory, type StoredHistory } from "../services/rollout/history.ts";
import { planRollout } from "../services/rollout/plan.ts";
import { isClean, type Preview, type PreviewRequest, previewPolicies } from "../services/rollout/preview.ts";
import { summarise } from "../services/rollout/summary.ts";
import { scannedFacts } from "../services/scanned-facts.ts";
import { scannedObjects } from "../services/scanned-objects.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { liveObjects } from "./live-objects.ts";
import { nodeHost } from "./node-host.ts";
import { readStore } from "./open-store.ts";
import { writeAnswer } from "./rbac-table.ts";
import { planText, previewText } from "./rollout-text.ts";
import { finish, isPolicyDocument, requirePolicies } from "./run-policy.ts";
import { askServer } from "./running-server.ts";

export interface PreviewFlags {
  readonly cluster?: boolean;
  readonly context?: string;
  readonly files?: readonly string[];
  /** Days. */
  readonly history?: number;
  readonly data: string;
  readonly on?: string;
  readonly namespace?: string;
  readonly output: "table" | "json" | "yaml";
}

export interface PromoteFlags {
  readonly to: Enforcement;
  readonly namespace?: string;
  readonly reason?: string;
  readonly history: number;
  readonly data: string;
  readonly output: "table" | "json" | "yaml";
}

const dayMilliseconds = 86_400_000;

export async function previewCandidates(paths: readonly string[], flags: PreviewFlags, context: CommandContext): Promise<void> {
  const { request, diagnostics } = await candidatesOf(paths, flags, context);
  const preview = previewPolicies(request);
  showPreview(preview, flags.output, context);
  context.exit(preview.stopped.length > 0 ? exitCodes.findings : isClean(preview) ? exitCodes.clean : exitCodes.incomplete);
  finish(diagnostics, context);
}

export async function planPolicies(paths: readonly string[], flags: PreviewFlags, context: CommandContext): Promise<void> {
  const { request, diagnostics } = await candidatesOf(paths, flags, context);
  const steps = planRollout(request);
  writeAnswer(steps, () => planText(steps, context.io), flags.output, context);
  finish(diagnostics, context);
}

export async function promotePolicy(name: string, flags: PromoteFlags, context: CommandContext): Promise<void> {
  const { to, namespace, reason, history, data, output } = flags;
  const { status, body } = await askServer(data, "/api/v1/policies/promote", {
    policy: name,
    to,
    historyDays: history,
    ...(namespace === undefined ? {} : { namespace }),
    ...(reason === undefined ? {} : { reason }),
  });
  const preview = previewOf(body);
  if (preview !== undefined) showPreview(preview, output, context);
  if (status === 200) {
    const where = namespace === undefined ? "" : ` in ${namespace}`;
    context.io.err(`${asString(member(body, "policy"))} is ${to} from now on${where}\n`);
    return;
  }
  const message = asString(member(body, "message")) ?? `the server answered ${status}`;
  if (preview === undefined) throw new UsageError(message);
  context.io.err(`castellan: not promoted: ${message} (--reason)\n`);
  context.exit(exitCodes.findings);
}

/** The server is of our own version: its answer has the shape that it has here. */
function previewOf(body: JsonValue): Preview | undefined {
  const preview = member(body, "preview");
  return isObject(preview) ? (preview as unknown as Preview) : undefined;
}

function showPreview(preview: Preview, output: PreviewFlags["output"], context: CommandContext): void {
  writeAnswer({ ...preview, by: summarise(preview.stopped) }, () => previewText(preview, context.io), output, context);
}

interface Candidates {
  readonly request: PreviewRequest;
  readonly diagnostics: readonly Diagnostic[];
}

async function candidatesOf(paths: readonly string[], flags: PreviewFlags, context: CommandContext): Promise<Candidates> {
  if (flags.cluster !== true && flags.files === undefined && flags.history === undefined)
    throw new UsageError("name what to try them on: --cluster, --files, --history");
  const candidates = await loadPaths(paths);
  const documents = candidates.documents.filter(isPolicyDocument);
  requirePolicies(documents, paths, candidates.diagnostics);
  const schemas = loadKubernetesSchemas();
  const files = await loadPaths(flags.files ?? []);
  const live = flags.cluster === true ? await liveObjects(flags.context, context.io) : undefined;
  const all = [...files.documents, ...(live?.documents ?? [])];
  const resources =
    live?.resources ?? schemas.withCustomResources(all.map((d) => d.value).filter(isKubernetesObject)).resources();
  const objects = scannedObjects(all, "default", resources).objects.map((document) => document.value);
  const { set, diagnostics } = compilePolicies(documents, resources);
  const request = {
    policies: set.policies as readonly CompiledPolicy[],
    objects,
    history: await historyOf(flags, resources, context),
    resources,
    facts: scannedFacts({ objects, resources, complete: live?.complete === true && files.documents.length === 0 }),
    host: nodeHost(context.io),
    namespace: flags.namespace ?? "",
  };
  return {
    request,
    diagnostics: [...candidates.diagnostics, ...files.diagnostics, ...(live?.diagnostics ?? []), ...diagnostics],
  };
}

async function historyOf(flags: PreviewFlags, resources: ApiResources, { io }: CommandContext): Promise<StoredHistory> {
  if (flags.history === undefined) return noHistory;
  const store = await readStore(flags.data, io.env["DATABASE_URL"]);
  try {
    const since = io.now() - flags.history * dayMilliseconds;
    return await readHistory(store.reading, { since, cluster: flags.on, resources });
  } finally {
    await store.close();
  }
}
