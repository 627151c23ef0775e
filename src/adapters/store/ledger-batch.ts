import type { Insertable } from "kysely";
import type { Instant } from "../../core/host.ts";
import { type CheckpointSigner, signCheckpoint } from "../../ledger/checkpoint.ts";
import { appendLeaf, type Frontier, rootOf } from "../../ledger/frontier.ts";
import { type LedgerRecord, recordText } from "../../ledger/record.ts";
import { isTile } from "../../ledger/tile.ts";
import { hashLength, ledgerHashes, sha256 } from "./ledger-hashes.ts";
import type { LedgerRecordRow, Tables } from "./tables.ts";

/** A record before the ledger stamps it. */
export type NewRecord = Omit<LedgerRecord, "recorded">;

/** Where a record is kept; undefined where its key shows that it was there already. */
export type Receipt = { readonly seq: number } | undefined;

/** What a batch adds to the ledger. */
export interface PlannedBatch {
  /** In the order of the records that were given. */
  readonly receipts: readonly Receipt[];
  readonly rows: readonly LedgerRecordRow[];
  readonly keys: readonly Tables["ledger_keys"][];
  /** Hashes of the subtrees that the batch completes. */
  readonly tiles: readonly Insertable<Tables["ledger_tiles"]>[];
  /** The tree after it. */
  readonly frontier: Frontier;
  readonly recorded: Instant;
}

/** Puts records behind what the ledger holds; `known` are those of their keys that it holds, and is added to. */
export function planBatch(head: Frontier, records: readonly NewRecord[], known: Set<string>, recorded: Instant): PlannedBatch {
  let frontier = head;
  const rows: LedgerRecordRow[] = [];
  const keys: Tables["ledger_keys"][] = [];
  const tiles: Insertable<Tables["ledger_tiles"]>[] = [];
  // One block for all: a message to another thread pays for each block, not for its parts.
  const leaves = new Uint8Array(records.length * hashLength);
  const receipts = records.map((record): Receipt => {
    const seq = frontier.size;
    if (record.key !== undefined) {
      if (known.has(record.key)) return undefined;
      known.add(record.key);
      keys.push({ key: record.key, seq });
    }
    const indexed = indexable(record);
    const body = recordText({ ...indexed, recorded });
    const leaf = leaves.subarray(rows.length * hashLength, (rows.length + 1) * hashLength);
    leaf.set(ledgerHashes.leafOfText(body));
    rows.push(rowOf(indexed, recorded, seq, body, leaf));
    frontier = appendLeaf(ledgerHashes, frontier, leaf, (subtree) => {
      if (isTile(subtree)) tiles.push({ level: subtree.level, idx: subtree.index, hash: subtree.hash });
    });
    return { seq };
  });
  return { receipts, rows, keys, tiles, frontier, recorded };
}

/** Members that callers of the API server choose: any path is audited, whatever comes of the request. */
const chosen = ["actor", "verb", "group", "resource", "namespace", "name"] as const;
/** UTF-16 code units, three bytes at most each: PostgreSQL indexes 2,704 bytes. */
const longestIndexed = 512;

/** The record as every database can keep it, or one odd name would keep its whole batch out. `data` still has all of it. */
function indexable(record: NewRecord): NewRecord {
  let clean: { -readonly [member in (typeof chosen)[number]]?: string } | undefined;
  for (const member of chosen) {
    const text = record[member];
    if (text === undefined || (text.length <= longestIndexed && !text.includes("\0") && text.isWellFormed())) continue;
    clean ??= {};
    clean[member] = text.slice(0, longestIndexed).replaceAll("\0", "\ufffd").toWellFormed();
  }
  return clean === undefined ? record : { ...record, ...clean };
}

/** A checkpoint over the ledger as a batch leaves it. */
export function checkpointOf({ frontier, recorded }: PlannedBatch, signer: CheckpointSigner): Tables["ledger_checkpoints"] {
  const { size } = frontier;
  return { size, at: recorded, note: signCheckpoint(sha256, signer, { size, root: rootOf(ledgerHashes, frontier) }) };
}

function rowOf(record: NewRecord, recorded: Instant, seq: number, body: string, leaf: Uint8Array): LedgerRecordRow {
  return {
    seq,
    kind: record.kind,
    at: record.at,
    recorded,
    cluster: record.cluster,
    actor: record.actor ?? null,
    verb: record.verb ?? null,
    api_group: record.group ?? null,
    resource: record.resource ?? null,
    namespace: record.namespace ?? null,
    name: record.name ?? null,
    outcome: record.outcome ?? null,
    key: record.key ?? null,
    body,
    leaf,
  };
}
