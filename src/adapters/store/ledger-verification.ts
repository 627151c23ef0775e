import type { Kysely } from "kysely";
import { type CheckpointKey, readCheckpoint, type VerifyEd25519 } from "../../ledger/checkpoint.ts";
import { emptyFrontier, unpackFrontier } from "../../ledger/frontier.ts";
import { sameHash } from "../../ledger/merkle.ts";
import type { TreeHead } from "../../ledger/proof.ts";
import { LedgerVerifier, tileSize } from "../../ledger/verify.ts";
import { hashLength, ledgerHashes, sha256 } from "./ledger-hashes.ts";
import { type CheckedPage, checkedColumns, checkedRows, isTileStart, type PageCheck } from "./ledger-page.ts";
import { recordedPruning } from "./retention.ts";
import type { Tables } from "./tables.ts";

/** Records that are read and checked at a time; hashing them takes far longer than handing them over. */
const pageSize = 4096;
/** Pages that are on their way while one is put into the tree. */
const ahead = 4;

/** Checks the rows here, as a connection reads them. */
const checkedHere =
  (db: Kysely<Tables>): PageCheck =>
  async (from, to) =>
    checkedRows(
      await db
        .selectFrom("ledger_records")
        .select(checkedColumns)
        .where("seq", ">=", from)
        .where("seq", "<", to)
        .orderBy("seq")
        .execute(),
    );

/**
 * Reads and checks the whole ledger; checkpoints that witnesses kept elsewhere are held against it too. Rows are checked by
 * themselves by `check`, and then put into one tree.
 */
export async function verifyStoredLedger(
  db: Kysely<Tables>,
  keys: readonly CheckpointKey[],
  verifySignature: VerifyEd25519,
  witnessed: readonly string[] = [],
  check: PageCheck = checkedHere(db),
): Promise<LedgerVerifier> {
  for (let attempt = 1; ; attempt++) {
    const first = await prunedSize(db);
    const verifier = await verifyOnce(db, keys, verifySignature, witnessed, check);
    // What retention removed under our eyes is not missing: it is looked at again, from where it begins now.
    if (verifier.problems.length === 0 || attempt === attempts || (await prunedSize(db)) === first) return verifier;
  }
}

const attempts = 5;

async function prunedSize(db: Kysely<Tables>): Promise<number | undefined> {
  return (await db.selectFrom("ledger_head").select("pruned_size").executeTakeFirst())?.pruned_size;
}

async function verifyOnce(
  db: Kysely<Tables>,
  keys: readonly CheckpointKey[],
  verifySignature: VerifyEd25519,
  witnessed: readonly string[],
  check: PageCheck,
): Promise<LedgerVerifier> {
  // Others may write meanwhile. The ledger is looked at as this head has it; checkpoints that were there before end nowhere behind it.
  const known = await notes(db);
  const head = await db.selectFrom("ledger_head").selectAll().executeTakeFirst();
  const since = await notes(db, head?.size);
  const start = unpackFrontier(head?.pruned_size ?? 0, head?.pruned_frontier ?? new Uint8Array(0));
  const verifier = new LedgerVerifier(ledgerHashes, start ?? emptyFrontier);
  if (start === undefined)
    verifier.report("HEAD_CHANGED", 0, 0, "the ledger's head does not say what was removed before its first record");
  const tiles = new Map<string, Uint8Array>();
  for (const { level, idx, hash } of await db.selectFrom("ledger_tiles").selectAll().execute())
    tiles.set(`${level}/${idx}`, hash);
  const heads: TreeHead[] = [];
  let signed = start?.size ?? 0;
  for (const note of new Set([...known, ...since, ...witnessed])) {
    const reading = readCheckpoint(sha256, verifySignature, keys, note);
    if (!reading.ok) verifier.report("CHECKPOINT_INVALID", 0, 0, `a checkpoint is not to be trusted: ${reading.reason}`);
    else if (reading.head.size >= verifier.size) heads.push(reading.head);
    if (reading.ok) signed = Math.max(signed, reading.head.size);
  }
  heads.sort((a, b) => a.size - b.size);
  let next = 0;
  const sign = (size: number) => {
    for (let at = heads[next]; at !== undefined && at.size <= size; at = heads[++next])
      if (at.size === size) verifier.checkpoint(at);
  };
  sign(verifier.size);
  const tileOf = ({ level, index }: { readonly level: number; readonly index: number }) => tiles.get(`${level}/${index}`);
  let keyed = 0;
  const stored = await lastOf(db);
  const last = head === undefined ? stored : Math.min(stored, Math.max(head.size, signed) - 1);
  for await (const { seqs, leaves, tiles: whole, problems, keyed: keyedHere } of pages(check, verifier.size, last)) {
    keyed += keyedHere;
    let problem = 0;
    let tile = 0;
    for (let i = 0; i < seqs.length; i++) {
      const seq = seqs[i] ?? 0;
      const hash = isTileStart(seqs, i) ? whole.subarray(tile * hashLength, ++tile * hashLength) : undefined;
      const after = seq + tileSize;
      const isQuiet = (problems[problem]?.from ?? after) >= after && (heads[next]?.size ?? after) >= after;
      if (hash !== undefined && seq === verifier.size && isQuiet) {
        verifier.tile(hash, tileOf);
        i += tileSize - 1;
        sign(verifier.size);
        continue;
      }
      for (let at = problems[problem]; at !== undefined && at.from <= seq; at = problems[++problem])
        verifier.report(at.code, at.from, at.to, at.message);
      verifier.leaf(seq, leaves.subarray(i * hashLength, (i + 1) * hashLength), tileOf);
      sign(verifier.size);
    }
  }
  verifier.finish(signed);
  await checkRemoved(db, verifier, start?.size ?? 0);
  await checkKeys(db, verifier, keyed);
  if (head !== undefined && (head.size !== verifier.size || !sameHash(head.frontier, verifier.packed()))) {
    const message = `the ledger's head says ${head.size} records, where there are ${verifier.size}, or its hashes are not theirs`;
    verifier.report("HEAD_CHANGED", 0, head.size, message);
  }
  await checkEnd(db, verifier);
  return verifier;
}

/** What was added since is for the next verification; a record behind the head was added by somebody else. */
async function checkEnd(db: Kysely<Tables>, verifier: LedgerVerifier): Promise<void> {
  const last = await lastOf(db);
  const head = await db.selectFrom("ledger_head").select("size").executeTakeFirst();
  if (head === undefined || last < head.size) return;
  const message = `there are records up to ${last}, where the ledger's head says that it has ${head.size}`;
  verifier.report("HEAD_CHANGED", head.size, last, message);
}

/**
 * Who takes away records can say so in the head, but not in a record, which a checkpoint signs. What is said to be removed may still be
 * there: it goes in steps.
 */
async function checkRemoved(db: Kysely<Tables>, verifier: LedgerVerifier, first: number): Promise<void> {
  const recorded = await recordedPruning(db);
  if (first <= recorded) return;
  const message = `the records before ${first} are gone, where those before ${recorded} were removed by retention, as the ledger says`;
  verifier.report("REMOVAL_UNRECORDED", recorded, first - 1, message);
}

/** A key without its record would keep an event out of the ledger for good. */
async function checkKeys(db: Kysely<Tables>, verifier: LedgerVerifier, keyed: number): Promise<void> {
  const { keys } = await db
    .selectFrom("ledger_keys")
    .select(({ fn }) => fn.countAll<number>().as("keys"))
    .where("seq", "<", verifier.size)
    .executeTakeFirstOrThrow();
  if (Number(keys) === keyed) return;
  const message = `${keys} keys keep events from being recorded twice, where ${keyed} records have one`;
  verifier.report("KEYS_CHANGED", 0, verifier.size - 1, message);
}

/** Of all checkpoints, or of those over `size` records at most. */
async function notes(db: Kysely<Tables>, size?: number): Promise<string[]> {
  const query = db.selectFrom("ledger_checkpoints").select("note").orderBy("size");
  const rows = await (size === undefined ? query : query.where("size", "<=", size)).execute();
  return rows.map(({ note }) => note);
}

async function lastOf(db: Kysely<Tables>): Promise<number> {
  const { last } = await db
    .selectFrom("ledger_records")
    .select(({ fn }) => fn.max("seq").as("last"))
    .executeTakeFirstOrThrow();
  return last ?? -1;
}

/** The pages from `start` to `last`, in order; several are checked at a time. */
async function* pages(check: PageCheck, start: number, last: number): AsyncGenerator<CheckedPage> {
  const coming: Promise<CheckedPage>[] = [];
  try {
    for (let from = start; from <= last || coming.length > 0; from += pageSize) {
      if (from <= last) coming.push(check(from, Math.min(from + pageSize, last + 1)));
      if (coming.length < ahead && from + pageSize <= last) continue;
      const page = await coming.shift();
      if (page !== undefined) yield page;
    }
  } finally {
    await Promise.allSettled(coming);
  }
}
