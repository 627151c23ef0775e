import { canonicalJson } from "../core/canonical-json.ts";
import { isObject, type JsonValue } from "../core/json.ts";
import { appendLeaf, appendSubtree, type CompletedSubtree, type Frontier, packFrontier, rootOf } from "./frontier.ts";
import { type MerkleHashes, sameHash } from "./merkle.ts";
import type { TreeHead } from "./proof.ts";
import { indexMembers, type RecordIndex } from "./record.ts";
import { isTile } from "./tile.ts";

/** A record as a store holds it: its text, and the columns that queries filter by, copies of what the text says. */
export type StoredRow = {
  readonly seq: number;
  /** The canonical text of the record. */
  readonly body: string;
  readonly leaf: Uint8Array;
} & { readonly [key in keyof RecordIndex]?: string | number | null };

export interface LedgerProblem {
  readonly code:
    | "RECORD_CHANGED"
    | "RECORD_MISSING"
    | "RECORD_OUT_OF_ORDER"
    | "COLUMN_CHANGED"
    | "LEAF_CHANGED"
    | "TILE_CHANGED"
    | "TILE_MISSING"
    | "CHECKPOINT_INVALID"
    | "CHECKPOINT_DIFFERS"
    | "LEDGER_TRUNCATED"
    | "HEAD_CHANGED"
    | "KEYS_CHANGED"
    | "REMOVAL_UNRECORDED"
    | "UNSIGNED_RECORDS";
  /** The records it is about: first and last sequence number. */
  readonly from: number;
  readonly to: number;
  readonly message: string;
}

/** How many problems are kept one by one; the rest are counted. */
const kept = 100;
const tileLevel = 8;
/** Records under one of the smallest stored hashes. */
export const tileSize = 2 ** tileLevel;

/**
 * Checks a ledger while its rows stream by in order of `seq`: each body against its leaf and its columns, the tree
 * against the stored hashes and the signed checkpoints. One changed record does not hide the next: the tree goes on
 * with the stored hash, which the next checkpoint confirms or refuses.
 */
export class LedgerVerifier {
  readonly problems: LedgerProblem[] = [];
  problemCount = 0;
  private readonly hashes: MerkleHashes;
  private frontier: Frontier;
  private tileStart: Frontier;
  /** The tile at hand lacks a leaf; undefined positions are filled by the stored tile. */
  private holes = false;
  /** The tree cannot be computed any more: neither a leaf nor its tile is there. */
  private lost = false;
  /** Up to here a checkpoint has confirmed everything. */
  confirmed: number;
  checkpoints = 0;

  constructor(hashes: MerkleHashes, start: Frontier) {
    this.hashes = hashes;
    this.frontier = start;
    this.tileStart = start;
    this.confirmed = start.size;
  }

  get size(): number {
    return this.frontier.size;
  }

  /** The frontier so far, as a store keeps it. */
  packed(): Uint8Array {
    return packFrontier(this.frontier);
  }

  /** The next row's leaf, as `checkRow` answered it. `tile` answers the stored hash of a perfect subtree. */
  leaf(seq: number, leaf: Uint8Array, tile: (subtree: Omit<CompletedSubtree, "hash">) => Uint8Array | undefined): void {
    if (seq < this.size) {
      this.report("RECORD_OUT_OF_ORDER", seq, seq, `record ${seq} is there twice or out of order`);
      return;
    }
    if (seq > this.size) {
      this.report("RECORD_MISSING", this.size, seq - 1, `${seq - this.size} records from ${this.size} on are missing`);
      while (this.size < seq) this.append(undefined, tile);
    }
    this.append(leaf, tile);
  }

  /** As `leaf` for the next `tileSize` records at once, which are all there; the ledger's size is a multiple of that. */
  tile(hash: Uint8Array, stored: (subtree: Omit<CompletedSubtree, "hash">) => Uint8Array | undefined): void {
    const whole = { level: tileLevel, index: this.size / tileSize, hash };
    const closed: CompletedSubtree[] = [whole];
    this.frontier = appendSubtree(this.hashes, this.frontier, whole, (subtree) => {
      if (isTile(subtree)) closed.push(subtree);
    });
    if (!this.lost) for (const subtree of closed) this.compareTile(subtree, stored(subtree));
    this.tileStart = this.frontier;
  }

  /** A checkpoint that a known key signed, once all rows before `head.size` have been given. */
  checkpoint(head: TreeHead): void {
    this.checkpoints++;
    if (this.lost || this.holes) return;
    if (sameHash(rootOf(this.hashes, this.frontier), head.root)) {
      this.confirmed = head.size;
      return;
    }
    const last = head.size - 1;
    const where = `records ${this.confirmed} to ${last}`;
    this.report("CHECKPOINT_DIFFERS", this.confirmed, last, `${where} are not those that the checkpoint at ${head.size} signed`);
  }

  /** After the last row; `signed` is the largest size that a checkpoint vouches for. */
  finish(signed: number): void {
    if (signed > this.size) {
      this.report("LEDGER_TRUNCATED", this.size, signed - 1, `${signed - this.size} records at the end are missing`);
    } else if (signed < this.size) {
      this.report("UNSIGNED_RECORDS", signed, this.size - 1, `no checkpoint signs the records from ${signed} on`);
    }
  }

  report(code: LedgerProblem["code"], from: number, to: number, message: string): void {
    this.problemCount++;
    if (this.problems.length < kept) this.problems.push({ code, from, to, message });
  }

  private append(
    leaf: Uint8Array | undefined,
    stored: (subtree: Omit<CompletedSubtree, "hash">) => Uint8Array | undefined,
  ): void {
    if (leaf === undefined) this.holes = true;
    const closed: CompletedSubtree[] = [];
    this.frontier = appendLeaf(this.hashes, this.frontier, leaf ?? this.hashes.empty, (subtree) => {
      if (isTile(subtree)) closed.push(subtree);
    });
    if (this.size % tileSize !== 0) return;
    const index = this.size / tileSize - 1;
    if (this.holes) {
      const hash = stored({ level: tileLevel, index });
      closed.length = 0;
      if (hash === undefined || this.tileStart.size % tileSize !== 0) this.lost = true;
      else {
        this.frontier = appendSubtree(this.hashes, this.tileStart, { level: tileLevel, hash }, (subtree) => {
          if (isTile(subtree)) closed.push(subtree);
        });
      }
    }
    if (!this.lost) for (const subtree of closed) this.compareTile(subtree, stored(subtree));
    this.holes = false;
    this.tileStart = this.frontier;
  }

  private compareTile(subtree: CompletedSubtree, stored: Uint8Array | undefined): void {
    if (sameHash(stored, subtree.hash)) return;
    const from = subtree.index * 2 ** subtree.level;
    const to = from + 2 ** subtree.level - 1;
    if (stored === undefined) this.report("TILE_MISSING", from, to, `the stored hash over records ${from} to ${to} is missing`);
    else this.report("TILE_CHANGED", from, to, `the stored hash over records ${from} to ${to} is not theirs`);
  }
}

/**
 * Checks one row by itself: its text against its leaf and its columns. Answers the leaf that the tree goes on with; where
 * the text was changed that is the stored one.
 */
export function checkRow(hashes: MerkleHashes, row: StoredRow, report: LedgerVerifier["report"]): Uint8Array {
  const { seq } = row;
  const leaf = hashes.leafOfText(row.body);
  if (!sameHash(leaf, row.leaf)) {
    report("RECORD_CHANGED", seq, seq, `the text of record ${seq} is not the one that was recorded`);
    return row.leaf;
  }
  if (saysAsIndexed(row)) return leaf;
  const body = parsed(row.body);
  for (const member of indexMembers) {
    const said = isObject(body) ? (body[member] ?? null) : null;
    const column = row[member] ?? null;
    if (said === column) continue;
    const what = `${member} = ${canonicalJson(column)}, where its text says ${canonicalJson(said)}`;
    report("COLUMN_CHANGED", seq, seq, `record ${seq} is indexed under ${what}`);
  }
  return leaf;
}

const [before, after] = splitMembers();

/** The members on both sides of `data` in a canonical text; `kind` is always among those after it. */
function splitMembers(): readonly [readonly (keyof RecordIndex)[], readonly (keyof RecordIndex)[]] {
  const sorted = [...indexMembers].sort();
  return [sorted.filter((member) => member < "data"), sorted.filter((member) => member > "data")];
}

/**
 * Whether a text is `{`, the members before `data` as the columns have them, one object, and the members after it: what
 * `recordText` wrote, without reading the data. All other members are strings and numbers, so that a brace before those
 * after `data` can only end it. False where it is not sure.
 */
function saysAsIndexed(row: StoredRow): boolean {
  const { body } = row;
  let start = "{";
  for (const member of before) start += memberText(member, row[member], "", ",");
  start += '"data":{';
  let end = "}";
  for (const member of after) end += memberText(member, row[member], ",", "");
  end += "}";
  return body.length >= start.length + end.length - 1 && body.startsWith(start) && body.endsWith(end);
}

function memberText(name: string, value: string | number | null | undefined, prefix: string, suffix: string): string {
  return value === null || value === undefined ? "" : `${prefix}"${name}":${JSON.stringify(value)}${suffix}`;
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
