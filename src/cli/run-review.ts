import { loadPaths } from "../adapters/files/load-paths.ts";
import type { Ledger } from "../adapters/store/ledger.ts";
import type { Store } from "../adapters/store/store.ts";
import { isKubernetesObject, type KubernetesObject } from "../core/kubernetes.ts";
import {
  bindingsToReview,
  decideReview,
  lastUses,
  type ReviewedBinding,
  reviewState,
  startReview,
} from "../services/access-reviews.ts";
import { type CommandContext, found, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { openLedger, openStore } from "./open-store.ts";
import { columns } from "./rbac-table.ts";
import { instantOf, reading, type StoreFlags } from "./run-audit.ts";
import { writeDiagnostics } from "./run-audit-text.ts";

interface OnFlags extends StoreFlags {
  readonly on: string;
  readonly ledgerKey?: string;
}

export interface StartFlags extends OnFlags {
  readonly file?: readonly string[];
  readonly cluster?: boolean;
  readonly context?: string;
  readonly since: string;
  readonly by?: string;
}

export interface ReviewFlags extends OnFlags {
  readonly owner?: string;
  readonly open?: boolean;
  readonly output: "table" | "json";
}

export interface DecideFlags extends OnFlags {
  readonly reason: string;
  readonly by?: string;
}

export async function runStart(name: string, flags: StartFlags, context: CommandContext): Promise<void> {
  const { io } = context;
  const objects = await objectsOf(flags, context);
  const since = instantOf(flags.since, io.now());
  await writing(flags, context, async (ledger, store) => {
    const bindings = bindingsToReview(objects, await lastUses(store.reading, flags.on, since));
    const started = await startReview(ledger, { cluster: flags.on, name }, bindings, userOf(flags, context), io.now());
    const unused = bindings.filter(({ lastUse }) => lastUse === undefined).length;
    io.out(
      `${started} bindings are new in ${name}, of ${bindings.length}; ${unused} were not seen in use since ${flags.since}\n`,
    );
  });
}

export async function runList(name: string, flags: ReviewFlags, context: CommandContext): Promise<void> {
  const { io } = context;
  await reading(flags, context, async (db) => {
    const all = await reviewState(db, { cluster: flags.on, name });
    if (all.length === 0) throw new UsageError(`there is no review ${name} on ${flags.on}: begin it with castellan review start`);
    const wanted = all
      .filter(({ owner }) => flags.owner === undefined || owner === flags.owner)
      .filter(({ decision }) => flags.open !== true || decision === undefined);
    if (flags.output === "json") io.out(`${JSON.stringify(wanted, null, 2)}\n`);
    else io.out(columns(["BINDING", "ROLE", "SUBJECTS", "OWNER", "LAST USE", "DECISION"], wanted.map(cells), io));
    if (wanted.some(({ decision }) => decision === undefined)) context.exit(exitCodes.findings);
  });
}

function cells({ binding, role, subjects, owner, lastUse, decision }: ReviewedBinding): readonly string[] {
  const used = lastUse === undefined ? "not seen" : new Date(lastUse).toISOString().slice(0, 10);
  const decided = decision === undefined ? "open" : `${decision.what} (${decision.by}: ${decision.reason})`;
  return [binding, role, subjects.join(", "), owner ?? "-", used, decided];
}

export async function runDecide(
  { name, binding, decision }: { readonly name: string; readonly binding: string; readonly decision: string },
  flags: DecideFlags,
  context: CommandContext,
): Promise<void> {
  const { io } = context;
  if (decision !== "keep" && decision !== "revoke") throw new UsageError(`"${decision}" is no decision: say keep or revoke`);
  await writing(flags, context, async (ledger, store) => {
    const review = { cluster: flags.on, name };
    const known = (await reviewState(store.reading, review)).some((reviewed) => reviewed.binding === binding);
    if (!known) throw new UsageError(`${binding} is not in the review ${name} on ${flags.on}`);
    const by = userOf(flags, context);
    await decideReview(ledger, review, binding, { what: decision, by, at: io.now(), reason: flags.reason });
    io.out(`recorded: ${by} decided to ${decision} ${binding}\n`);
    if (decision === "revoke") io.out(`to take it away: ${deletion(binding)}\n`);
  });
}

function deletion(binding: string): string {
  const [kind = "", ...rest] = binding.split("/");
  const [namespace, name] = rest.length === 2 ? rest : [undefined, rest[0]];
  return `kubectl delete ${kind.toLowerCase()} ${name}${namespace === undefined ? "" : ` -n ${namespace}`}`;
}

const userOf = ({ by }: { readonly by?: string }, { io }: CommandContext) => by ?? io.env["USER"] ?? "operator";

async function objectsOf(flags: StartFlags, context: CommandContext): Promise<readonly KubernetesObject[]> {
  if (flags.cluster !== true) {
    if (flags.file === undefined) throw new UsageError("say where the bindings are: paths, or --cluster");
    const { documents, diagnostics } = await loadPaths(flags.file);
    writeDiagnostics(diagnostics, context);
    // A review of a part would look like one of all.
    if (diagnostics.some(({ severity }) => severity === "error")) throw new UsageError("not all bindings can be read");
    return documents.map(({ value }) => value).filter(isKubernetesObject);
  }
  const { loadCluster } = await import("../adapters/kubernetes/load-cluster.ts");
  const resources = new Set(["rolebindings", "clusterrolebindings", "namespaces"]);
  const cluster = found(await loadCluster({ context: flags.context, resources: ({ resource }) => resources.has(resource) }));
  const [unseen] = cluster.diagnostics;
  if (unseen !== undefined) throw new UsageError(`not all bindings can be read: ${unseen.message}`);
  return cluster.documents.map(({ value }) => value);
}

async function writing(
  flags: OnFlags,
  { io }: CommandContext,
  use: (ledger: Ledger, store: Store) => Promise<void>,
): Promise<void> {
  const store = await openStore(flags.data, io.env["DATABASE_URL"]);
  const ledger = await openLedger(store, flags.data, io.now, flags.ledgerKey);
  try {
    await use(ledger, store);
  } finally {
    await ledger.close();
    await store.close();
  }
}
