import { rangeHash } from "../../ledger/merkle.ts";
import { checkRow, type LedgerProblem, type StoredRow, tileSize } from "../../ledger/verify.ts";
import { hashLength, ledgerHashes } from "./ledger-hashes.ts";

/** What is read of each record, under the names that its text uses. */
export const checkedColumns = [
  "seq",
  "body",
  "leaf",
  "kind",
  "at",
  "recorded",
  "cluster",
  "actor",
  "verb",
  "api_group as group",
  "resource",
  "namespace",
  "name",
  "outcome",
  "key",
] as const;

/** Rows that were checked by themselves. */
export interface CheckedPage {
  readonly seqs: Float64Array<ArrayBuffer>;
  /** The leaf of each, one after the other. */
  readonly leaves: Uint8Array<ArrayBuffer>;
  /** The hashes over the runs of `tileSize` leaves that are all there and begin at a multiple of it, one after the other. */
  readonly tiles: Uint8Array<ArrayBuffer>;
  /** In the order of the rows. */
  readonly problems: readonly LedgerProblem[];
  /** How many of them have a key. */
  readonly keyed: number;
}

/** Reads and checks the records from `from` (included) to `to` (excluded). */
export type PageCheck = (from: number, to: number) => Promise<CheckedPage>;

export function checkedRows(rows: readonly StoredRow[]): CheckedPage {
  const seqs = new Float64Array(rows.length);
  const leaves = new Uint8Array(rows.length * hashLength);
  const problems: LedgerProblem[] = [];
  const report = (code: LedgerProblem["code"], from: number, to: number, message: string) => {
    problems.push({ code, from, to, message });
  };
  let keyed = 0;
  for (const [i, row] of rows.entries()) {
    seqs[i] = row.seq;
    if (typeof row.key === "string") keyed++;
    const checked = checkRow(ledgerHashes, row, report);
    // Who changes rows may put anything there.
    if (checked instanceof Uint8Array) leaves.set(checked.subarray(0, hashLength), i * hashLength);
  }
  return { seqs, leaves, tiles: tilesOf(seqs, leaves), problems, keyed };
}

/** Whether the row at `i` and those after it are all the records of a tile, in order. */
export function isTileStart(seqs: Float64Array, i: number): boolean {
  const seq = seqs[i] ?? 0;
  if (seq % tileSize !== 0) return false;
  for (let n = 1; n < tileSize; n++) if (seqs[i + n] !== seq + n) return false;
  return true;
}

function tilesOf(seqs: Float64Array, leaves: Uint8Array): Uint8Array<ArrayBuffer> {
  const tiles = new Uint8Array(Math.floor(seqs.length / tileSize) * hashLength);
  let found = 0;
  for (let i = 0; i + tileSize <= seqs.length; i++) {
    if (!isTileStart(seqs, i)) continue;
    const own = Array.from({ length: tileSize }, (_, n) => leaves.subarray((i + n) * hashLength, (i + n + 1) * hashLength));
    tiles.set(rangeHash(ledgerHashes, own)(0, tileSize), found++ * hashLength);
    i += tileSize - 1;
  }
  return tiles;
}
