import type { LedgerProblem } from "../../ledger/verify.ts";
import { checkRow } from "../../ledger/verify.ts";
import { ledgerHashes } from "./ledger-hashes.ts";
import type { LedgerRecordRow } from "./tables.ts";

export const hashLength = 32;

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

export function checkedRows(rows: readonly LedgerRecordRow[]): CheckedPage {
  const seqs = new Float64Array(rows.length);
  const leaves = new Uint8Array(rows.length * hashLength);
  const problems: LedgerProblem[] = [];
  const report = (code: LedgerProblem["code"], from: number, to: number, message: string) => {
    problems.push({ code, from, to, message });
  };
  for (const [i, row] of rows.entries()) {
    const { seq, body, leaf, api_group } = row;
    seqs[i] = seq;
    const checked = checkRow(ledgerHashes, { seq, body, leaf, index: { ...row, group: api_group } }, report);
    // Who changes rows may put anything there.
    if (checked instanceof Uint8Array) leaves.set(checked.subarray(0, hashLength), i * hashLength);
  }
  return { seqs, leaves, problems };
}
