import { homedir } from "node:os";
import { loadDefaultRbacObjects } from "../adapters/files/catalog.ts";
import { checkoutsOf } from "../adapters/files/git-checkout.ts";
import { loadPaths } from "../adapters/files/load-paths.ts";
import { describeSkipped, type LoadedPaths, type SkipReason } from "../adapters/files/loaded-paths.ts";
import { ApiError, type KubernetesClient } from "../adapters/kubernetes/client.ts";
import { discover } from "../adapters/kubernetes/discovery.ts";
import { clusterAccess } from "../adapters/kubernetes/kubeconfig.ts";
import { readPostgres } from "../adapters/store/postgres.ts";
import { readSqlite } from "../adapters/store/sqlite.ts";
import { type Store, StoreUnavailable } from "../adapters/store/store.ts";
import { apiResources } from "../core/api-resources.ts";
import { isKubernetesObject } from "../core/kubernetes.ts";
import { type Drift, type DriftResult, findDrift } from "../services/drift/find-drift.ts";
import { type Deletion, type HealStep, heal, healSteps, type Refusal, tryHealing } from "../services/drift/heal.ts";
import { lastChange, ledgerClusters } from "../services/drift/last-change.ts";
import { clusterClient } from "./cluster-client.ts";
import { type CommandContext, found, nothingFound, UsageError } from "./command.ts";
import { driftData, driftText, healedText, keptText, refusedText, type ToldDrift, wouldHealText } from "./drift-text.ts";
import { holdsSecrets, undoText, writeUndo } from "./drift-undo.ts";
import { exitCodes } from "./exit-code.ts";
import { writeAnswer } from "./rbac-table.ts";
import { finish } from "./run-policy.ts";

export interface DriftFlags {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly on?: readonly string[];
  readonly heal?: boolean;
  readonly yes?: boolean;
  readonly delete: Deletion;
  readonly undo?: string;
  readonly atMost: number;
  readonly perSecond: number;
  readonly data: string;
  readonly output: "table" | "json" | "yaml";
}

/** What healing did, or would do. */
interface Healing {
  readonly steps: readonly HealStep[];
  readonly refused: readonly Refusal[];
  readonly done: readonly HealStep[];
  readonly undo?: string;
}

export async function runDrift(paths: readonly string[], flags: DriftFlags, context: CommandContext): Promise<void> {
  const { io } = context;
  const input = await loadPaths(paths);
  const desired = input.documents.map((document) => document.value).filter(isKubernetesObject);
  if (desired.length === 0) throw nothingFound(input.diagnostics, `${paths.join(", ")} declares no objects`);
  for (const line of describeSkipped(input.skipped)) io.err(`castellan: ${line}\n`);
  const checkouts = await checkoutsOf(paths, io.env["PATH"] ?? process.env["PATH"] ?? "");
  const access = found(
    clusterAccess({ context: flags.context, kubeconfig: flags.kubeconfig, env: process.env, home: homedir() }),
  );
  const client = await clusterClient(flags);
  const diagnostics = [...input.diagnostics];
  try {
    const discovery = await discover(client);
    diagnostics.push(...discovery.diagnostics);
    const result = await findDrift(client, {
      resources: apiResources(discovery.resources),
      desired,
      namespace: flags.namespace ?? access.namespace,
      defaults: loadDefaultRbacObjects().objects,
    });
    const told = await withAuthors(result.drifts, flags.on ?? [client.context], flags.data, context);
    if (flags.output === "table") io.out(driftText(result, checkouts, told));
    const healing = flags.heal === true ? await healAll(client, result.drifts, input, flags, context) : undefined;
    if (flags.output !== "table") {
      const { compared, exempt, problems } = result;
      const answer = { checkouts, compared, drifts: told.map(driftData), exempt, problems, ...healingData(healing) };
      writeAnswer(answer, () => "", flags.output, context);
    }
    context.exit(exitOf(result, healing));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    io.err(`castellan: the API server refused: ${error.message}\n`);
    context.exit(exitCodes.incomplete);
  } finally {
    await client.close();
  }
  finish(diagnostics, context);
}

function exitOf({ drifts, problems }: DriftResult, healing: Healing | undefined) {
  if (problems.length > 0 || (healing !== undefined && healing.refused.length > 0)) return exitCodes.incomplete;
  return drifts.length > (healing?.done.length ?? 0) ? exitCodes.findings : exitCodes.clean;
}

/** First as a dry run, whole; then, where it was asked for and the server would refuse nothing, one after the other. */
async function healAll(
  client: KubernetesClient,
  drifts: readonly Drift[],
  input: LoadedPaths,
  flags: DriftFlags,
  { io }: CommandContext,
): Promise<Healing> {
  const say = (text: string) => (flags.output === "table" ? io.out(text) : undefined);
  const unread = unreadOf(input);
  if (unread !== undefined && drifts.some(({ type }) => type === "undeclared"))
    io.err(`castellan: ${unread}, so nothing undeclared is deleted: it may be declared there\n`);
  const steps = healSteps(drifts, unread === undefined ? flags.delete : "none");
  if (steps.length > flags.atMost) {
    throw new UsageError(`${steps.length} objects would be healed, more than --at-most ${flags.atMost}: look at them first`);
  }
  const refused = await tryHealing(client, steps);
  say(keptText(drifts, steps));
  if (flags.yes !== true || refused.length > 0 || steps.length === 0) {
    const isRefused = new Set(refused.map(({ step }) => step));
    say(
      steps
        .filter((step) => !isRefused.has(step))
        .map(wouldHealText)
        .join(""),
    );
    for (const one of refused) io.err(`castellan: ${refusedText(one)}`);
    if (steps.length > 0) say(refused.length > 0 ? "Nothing was changed.\n" : "Nothing was changed: add --yes.\n");
    return { steps, refused, done: [] };
  }
  const at = new Date(io.now()).toISOString();
  const undo = flags.undo ?? `castellan-undo-${at.replace(/[-:]|\.\d+/g, "")}.yaml`;
  writeUndo(undo, undoText(steps, { file: undo, reach: reachOf(flags, client), at }));
  const { done, failed } = await heal(client, steps, { perSecond: flags.perSecond, onDone: (step) => say(healedText(step)) });
  if (failed !== undefined) {
    io.err(`castellan: ${refusedText(failed)}`);
    io.err(`castellan: stopped there: ${done.length} of ${steps.length} objects are healed, and ${undo} undoes them\n`);
  }
  say(`${undo} holds what was there before, and says how to put it back${holdsSecrets(steps) ? "; it holds Secrets" : ""}\n`);
  return { steps, refused: failed === undefined ? [] : [failed], done, undo };
}

function healingData(healing: Healing | undefined): object {
  if (healing === undefined) return {};
  const { steps, refused, done, undo } = healing;
  const plain = ({ action, drift }: HealStep) => ({ action, ...drift.resource });
  return {
    healing: {
      steps: steps.map(plain),
      refused: refused.map(({ step, message }) => ({ ...plain(step), message })),
      done: done.map(plain),
      ...(undo === undefined ? {} : { undo }),
    },
  };
}

/** How kubectl reaches the same cluster, whichever is current by then; in a pod there is no kubeconfig. */
function reachOf({ kubeconfig }: DriftFlags, { context }: KubernetesClient): readonly string[] {
  const file = kubeconfig === undefined ? [] : ["--kubeconfig", kubeconfig];
  return context === "in-cluster" ? file : [...file, "--context", context];
}

/** Whose documents are no objects yet. */
const unrendered: ReadonlySet<SkipReason> = new Set(["chart", "template", "kustomization"]);

/** What of the declaration nobody could read; undefined where all was read. */
function unreadOf({ diagnostics, skipped }: LoadedPaths): string | undefined {
  if (diagnostics.some(({ severity }) => severity === "error")) return "not all that is declared could be read";
  const [first] = skipped.filter(({ reason }) => unrendered.has(reason));
  return first === undefined ? undefined : `${first.path} was not rendered`;
}

/** Who changed it last, where the ledger is there to be asked. */
async function withAuthors(
  drifts: readonly Drift[],
  clusters: readonly string[],
  data: string,
  { io }: CommandContext,
): Promise<readonly ToldDrift[]> {
  const url = io.env["DATABASE_URL"];
  let store: Store;
  try {
    store = await (url === undefined ? readSqlite(data) : readPostgres(url));
  } catch (error) {
    if (error instanceof StoreUnavailable) return drifts.map((drift) => ({ drift, by: undefined }));
    throw error;
  }
  try {
    const told = await Promise.all(
      drifts.map(async (drift) => ({ drift, by: await lastChange(store.reading, clusters, drift) })),
    );
    if (told.length > 0 && told.every(({ by }) => by === undefined)) {
      const known = await ledgerClusters(store.reading);
      if (known.length > 0 && !known.some((name) => clusters.includes(name)))
        io.err(
          `castellan: the ledger knows nothing of ${clusters.join(", ")}, but of ${known.join(", ")}: say which with --on\n`,
        );
    }
    return told;
  } finally {
    await store.close();
  }
}
