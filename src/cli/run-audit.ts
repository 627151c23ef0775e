import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Kysely } from "kysely";
import { ledgerHashes, sha256 } from "../adapters/store/ledger-hashes.ts";
import { type LedgerFilter, latestCheckpoint, queryLedger } from "../adapters/store/ledger-reading.ts";
import { readKeys, rotateSigner, verifyEd25519 } from "../adapters/store/signing-key.ts";
import type { Store } from "../adapters/store/store.ts";
import type { Tables } from "../adapters/store/tables.ts";
import { verifyStore } from "../adapters/store/verify-store.ts";
import { unitMilliseconds } from "../core/duration.ts";
import type { Instant } from "../core/host.ts";
import { asString, isArray, isObject, type JsonValue, member } from "../core/json.ts";
import { readCheckpoint } from "../ledger/checkpoint.ts";
import { verifyInclusion } from "../ledger/proof.ts";
import { type ExportFormat, exportLine } from "../services/audit/export.ts";
import { ingestLogs } from "../services/audit/ingest.ts";
import { LedgerView } from "../services/audit/ledger-view.ts";
import { type SavedQueryName, savedQueries } from "../services/audit/saved-queries.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { ledgerOrigin, openLedger, openStore, readStore } from "./open-store.ts";

import { recordsTable, writeDiagnostics } from "./run-audit-text.ts";

export interface StoreFlags {
  readonly data: string;
}

interface FilterFlags extends StoreFlags {
  readonly kind?: readonly string[];
  readonly actor?: readonly string[];
  readonly verb?: readonly string[];
  readonly group?: readonly string[];
  readonly resource?: readonly string[];
  readonly namespace?: readonly string[];
  readonly name?: readonly string[];
  readonly on?: readonly string[];
  readonly outcome?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly saved?: SavedQueryName;
}

export interface QueryFlags extends FilterFlags {
  readonly limit: number;
  readonly before?: number;
  readonly output: "table" | "json";
}

export interface ExportFlags extends FilterFlags {
  readonly format: ExportFormat;
}

export interface VerifyFlags extends StoreFlags {
  readonly keys?: string;
  readonly checkpoint?: readonly string[];
  readonly output: "table" | "json";
}

export interface ProofFlags extends StoreFlags {
  readonly check?: string;
  readonly keys?: string;
}

export interface IngestFlags extends StoreFlags {
  readonly ledgerKey?: string;
  readonly cluster: string;
}

const pageSize = 1000;

export async function runQuery(flags: QueryFlags, context: CommandContext): Promise<void> {
  await reading(flags, context, async (db) => {
    const rows = await queryLedger(db, filterOf(flags, context), { limit: flags.limit, before: flags.before });
    if (flags.output === "json") {
      for (const row of rows) context.io.out(`${exportLine(row, "jsonl")}\n`);
      return;
    }
    context.io.out(recordsTable(rows, context.io));
    const last = rows.at(-1);
    if (last !== undefined && rows.length === flags.limit) context.io.err(`There may be more: add --before ${last.seq}\n`);
  });
}

export async function runTail(flags: QueryFlags, context: CommandContext): Promise<void> {
  await reading(flags, context, async (db) => {
    const filter = filterOf(flags, context);
    let shown = -1;
    for (;;) {
      const rows = await queryLedger(db, filter, { limit: shown < 0 ? 20 : pageSize });
      const fresh = rows.filter((row) => row.seq > shown).reverse();
      shown = Math.max(shown, fresh.at(-1)?.seq ?? shown);
      if (fresh.length > 0) context.io.out(recordsTable(fresh, context.io));
      await sleep(1000);
    }
  });
}

export async function runExport(flags: ExportFlags, context: CommandContext): Promise<void> {
  await reading(flags, context, async (db) => {
    const filter = filterOf(flags, context);
    for (let from = 0; ; ) {
      const rows = await queryLedger(db, filter, { limit: pageSize, from });
      context.io.out(rows.map((row) => `${exportLine(row, flags.format)}\n`).join(""));
      const last = rows.at(-1);
      if (last === undefined) return;
      from = last.seq + 1;
    }
  });
}

export async function runVerify(flags: VerifyFlags, context: CommandContext): Promise<void> {
  const { io } = context;
  await reading(flags, context, async (_db, store) => {
    const keys = await trustedKeys(flags);
    const witnessed = await Promise.all((flags.checkpoint ?? []).map((file) => text(file)));
    const { problems, problemCount, size, checkpoints } = await verifyStore(store, keys, verifyEd25519, witnessed);
    if (flags.output === "json")
      io.out(`${JSON.stringify({ verified: problemCount === 0, records: size, checkpoints, problems }, null, 2)}\n`);
    else {
      for (const { code, message } of problems) io.out(`${code}  ${message}\n`);
      if (problemCount > problems.length) io.out(`and ${problemCount - problems.length} more\n`);
      const verdict = problemCount === 0 ? "verified" : "NOT verified";
      io.out(`${verdict}: ${size} records, ${checkpoints} signed checkpoints\n`);
    }
    if (problemCount > 0) context.exit(exitCodes.findings);
  });
}

export async function runCheckpoint(flags: StoreFlags, context: CommandContext): Promise<void> {
  await reading(flags, context, async (db) => {
    const newest = await latestCheckpoint(db);
    if (newest === undefined) throw new UsageError("the ledger is empty: nothing is signed yet");
    context.io.out(newest.note);
  });
}

export async function runProof(seq: number | undefined, flags: ProofFlags, context: CommandContext): Promise<void> {
  if (flags.check !== undefined) return checkProof(await text(flags.check), flags, context);
  if (seq === undefined) throw new UsageError("name a record by its number, or a proof with --check");
  await reading(flags, context, async (_db, store) => {
    const evidence = await new LedgerView(store).evidence(seq);
    if (evidence === undefined) throw new UsageError(`there is no record ${seq}`);
    context.io.out(`${JSON.stringify(evidence, null, 2)}\n`);
  });
}

async function checkProof(source: string, flags: ProofFlags, context: CommandContext): Promise<void> {
  const reason = proofProblem(parsed(source), await trustedKeys(flags));
  context.io.out(
    reason === undefined ? "proven: the record is in the ledger that the checkpoint signs\n" : `NOT proven: ${reason}\n`,
  );
  if (reason !== undefined) context.exit(exitCodes.findings);
}

function proofProblem(evidence: JsonValue | undefined, keys: Awaited<ReturnType<typeof readKeys>>): string | undefined {
  const index = member(evidence, "seq");
  const record = asString(member(evidence, "record"));
  const proof = member(evidence, "proof");
  const note = asString(member(evidence, "checkpoint"));
  if (!isObject(evidence) || typeof index !== "number" || record === undefined || note === undefined || !isArray(proof)) {
    return "the file is no proof";
  }
  const reading = readCheckpoint(sha256, verifyEd25519, keys, note);
  if (!reading.ok) return `the checkpoint is not to be trusted: ${reading.reason}`;
  const hashes = proof.map((hash) => new Uint8Array(Buffer.from(asString(hash) ?? "", "base64")));
  const claim = { leaf: ledgerHashes.leafOfText(record), index, ...reading.head };
  return verifyInclusion(ledgerHashes, claim, hashes) ? undefined : "the record is not the one in the signed tree";
}

export async function runIngest(paths: readonly string[], flags: IngestFlags, context: CommandContext): Promise<void> {
  const store = await openStore(flags.data, databaseUrl(context));
  const ledger = await openLedger(store, flags.data, context.io.now, flags.ledgerKey);
  const { recorded, repeated, refused, reason, diagnostics } = await ingestLogs(ledger, paths, flags.cluster);
  await ledger.close();
  await store.close();
  context.io.out(`${recorded} events recorded, ${repeated} were there already, ${refused} are no audit events\n`);
  if (reason !== undefined) context.io.err(`castellan: the first value that is no audit event: ${reason}\n`);
  writeDiagnostics(diagnostics, context);
  if (refused > 0 || diagnostics.length > 0) context.exit(exitCodes.incomplete);
}

export async function runRotateKey(flags: StoreFlags, context: CommandContext): Promise<void> {
  await rotateSigner(flags.data, ledgerOrigin);
  context.io.out(`A new key signs from the next start on; its public part was added to ${join(flags.data, "ledger-keys.txt")}\n`);
}

const databaseUrl = (context: CommandContext) => context.io.env["DATABASE_URL"];

export async function reading(
  flags: StoreFlags,
  context: CommandContext,
  use: (db: Kysely<Tables>, store: Store) => Promise<void>,
): Promise<void> {
  const store = await readStore(flags.data, databaseUrl(context));
  try {
    await use(store.reading, store);
  } finally {
    await store.close();
  }
}

function trustedKeys(flags: { readonly keys?: string; readonly data: string }) {
  const file = flags.keys ?? join(flags.data, "ledger-keys.txt");
  return readKeys(file).catch(() => {
    throw new UsageError(`${file} cannot be read: name the public keys to trust with --keys`);
  });
}

function text(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => {
    throw new UsageError(`${file} cannot be read`);
  });
}

function parsed(source: string): JsonValue | undefined {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}

function filterOf(flags: FilterFlags, { io }: CommandContext): LedgerFilter {
  const saved: LedgerFilter = flags.saved === undefined ? {} : savedQueries[flags.saved].filter;
  const own: LedgerFilter = {
    kinds: flags.kind,
    actors: flags.actor,
    verbs: flags.verb,
    groups: flags.group,
    resources: flags.resource,
    namespaces: flags.namespace,
    names: flags.name,
    clusters: flags.on,
    outcomes: flags.outcome,
    since: flags.since === undefined ? undefined : instantOf(flags.since, io.now()),
    until: flags.until === undefined ? undefined : instantOf(flags.until, io.now()),
  };
  return { ...saved, ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)) };
}

export function instantOf(text: string, now: Instant): Instant {
  const [, amount, unit] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  const at = amount === undefined ? Date.parse(text) : now - Number(amount) * (unitMilliseconds[unit ?? ""] ?? 0);
  if (Number.isNaN(at)) throw new UsageError(`"${text}" is no time: write 2026-05-01T00:00:00Z, or 24h for a day ago`);
  return at;
}
