import { checkRow, type LedgerProblem, type StoredRow } from "../../ledger/verify.ts";
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
  /** In the order of the rows. */
  readonly problems: readonly LedgerProblem[];
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
  for (const [i, row] of rows.entries()) {
    seqs[i] = row.seq;
    const checked = checkRow(ledgerHashes, row, report);
    // Who changes rows may put anything there.
    if (checked instanceof Uint8Array) leaves.set(checked.subarray(0, hashLength), i * hashLength);
  }
  return { seqs, leaves, problems };
}
