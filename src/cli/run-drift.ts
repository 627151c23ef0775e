import { loadPaths } from "../adapters/files/load-paths.ts";
import { ApiError, type KubernetesClient } from "../adapters/kubernetes/client.ts";
import { discover } from "../adapters/kubernetes/discovery.ts";
import { queryLedger } from "../adapters/store/ledger-reading.ts";
import { openPostgres } from "../adapters/store/postgres.ts";
import { readSqlite } from "../adapters/store/sqlite.ts";
import { StoreUnavailable } from "../adapters/store/store.ts";
import { type ApiResources, apiResources } from "../core/api-resources.ts";
import { toDotted } from "../core/json.ts";
import { formatRef, isKubernetesObject } from "../core/kubernetes.ts";
import { type Drift, type DriftResult, findDrift, heal } from "../services/drift.ts";
import { clusterClient } from "./cluster-client.ts";
import { type CommandContext, nothingFound, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { writeAnswer } from "./rbac-table.ts";
import { finish } from "./run-policy.ts";
import { writeYamlFile } from "./write-report.ts";

export interface DriftFlags {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly heal?: boolean;
  readonly yes?: boolean;
  readonly undo: string;
  readonly atMost: number;
  readonly data: string;
  readonly output: "table" | "json" | "yaml";
}

/** A drift, and the last change of the object that the ledger knows. */
interface Told extends Drift {
  readonly by?: { readonly actor: string; readonly verb: string; readonly at: string };
}

export async function runDrift(paths: readonly string[], flags: DriftFlags, context: CommandContext): Promise<void> {
  const input = await loadPaths(paths);
  const desired = input.documents.map((document) => document.value).filter(isKubernetesObject);
  if (desired.length === 0) throw nothingFound(input.diagnostics, `${paths.join(", ")} declares no objects`);
  const client = await clusterClient(flags);
  try {
    const resources = apiResources((await discover(client)).resources);
    const result = await findDrift(client, resources, desired);
    const told = await withAuthors(result.drifts, resources, flags, context);
    const answer = { compared: result.compared, drifts: told.map(plain), problems: result.problems };
    writeAnswer(answer, () => textOf(result, told), flags.output, context);
    if (flags.heal === true) await healAll(client, resources, result.drifts, flags, context);
    else if (result.drifts.length > 0) context.exit(exitCodes.findings);
    if (result.problems.length > 0) context.exit(exitCodes.incomplete);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    context.io.err(`castellan: the API server refused: ${error.message}\n`);
    context.exit(exitCodes.incomplete);
  } finally {
    await client.close();
  }
  finish(input.diagnostics, context);
}

async function healAll(
  client: KubernetesClient,
  resources: ApiResources,
  drifts: readonly Drift[],
  flags: DriftFlags,
  { io, exit }: CommandContext,
): Promise<void> {
  if (drifts.length === 0) return;
  if (drifts.length > flags.atMost) {
    throw new UsageError(`${drifts.length} objects differ, more than --at-most ${flags.atMost}: look at them first`);
  }
  if (flags.yes !== true) {
    io.out("Nothing was changed: add --yes.\n");
    exit(exitCodes.findings);
    return;
  }
  const before = drifts.flatMap(({ live }) => (live === undefined ? [] : [live]));
  writeYamlFile(flags.undo, { apiVersion: "v1", kind: "List", items: before });
  for (const drift of drifts) {
    await heal(client, resources, drift);
    io.out(`healed ${formatRef(drift.resource)}\n`);
  }
  io.out(`What was there before is in ${flags.undo}\n`);
}

/** Who changed it last, where the ledger is there to be asked. */
async function withAuthors(
  drifts: readonly Drift[],
  resources: ApiResources,
  flags: DriftFlags,
  context: CommandContext,
): Promise<readonly Told[]> {
  const url = context.io.env["DATABASE_URL"];
  let store: Awaited<ReturnType<typeof readSqlite>>;
  try {
    store = await (url === undefined ? readSqlite(flags.data) : openPostgres(url));
  } catch (error) {
    if (error instanceof StoreUnavailable) return drifts;
    throw error;
  }
  try {
    return await Promise.all(
      drifts.map(async (drift): Promise<Told> => {
        const { group, kind, namespace, name } = drift.resource;
        const [record] = await queryLedger(
          store.reading,
          {
            kinds: ["audit.event", "admission.decision"],
            groups: [group],
            resources: [resources.byKind(group, kind)?.resource ?? kind],
            ...(namespace === "" ? {} : { namespaces: [namespace] }),
            names: [name],
            verbs: ["create", "update", "patch", "delete"],
            outcomes: ["2*", "allow", "audit", "warn"],
          },
          { limit: 1 },
        );
        if (record === undefined) return drift;
        return { ...drift, by: { actor: record.actor ?? "", verb: record.verb ?? "", at: new Date(record.at).toISOString() } };
      }),
    );
  } finally {
    await store.close();
  }
}

function plain({ type, resource, patch, by }: Told) {
  return { type, ...resource, patch: resource.kind === "Secret" ? patch.map(({ op, path }) => ({ op, path })) : patch, by };
}

const words = { missing: "is missing", changed: "is not as declared", undeclared: "was not declared" } as const;

function textOf({ compared, problems }: DriftResult, told: readonly Told[]): string {
  const lines = told.flatMap(({ type, resource, patch, by }) => [
    `${formatRef(resource)} ${words[type]}${by === undefined ? "" : `; last ${by.verb} by ${by.actor} at ${by.at}`}`,
    ...patch.map(
      (step) =>
        `  ${step.op} ${pathText(step.path)}${"value" in step && resource.kind !== "Secret" ? `: ${JSON.stringify(step.value)}` : ""}`,
    ),
  ]);
  for (const { resource, message } of problems) lines.push(`${formatRef(resource)} could not be compared: ${message}`);
  lines.push(`${compared} declared objects compared: ${told.length} ${told.length === 1 ? "difference" : "differences"}`);
  return `${lines.join("\n")}\n`;
}

function pathText(pointer: string): string {
  const steps = pointer.split("/").slice(1);
  return toDotted(steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step.replaceAll("~1", "/").replaceAll("~0", "~"))));
}
