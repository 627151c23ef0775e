import {
  inclusionProof,
  type LedgerFilter,
  latestCheckpoint,
  queryLedger,
  recordsFrom,
} from "../../adapters/store/ledger-reading.ts";
import type { Store } from "../../adapters/store/store.ts";
import type { LedgerRecordRow } from "../../adapters/store/tables.ts";
import type { Instant } from "../../core/host.ts";

/** A record as pages and programs see it. */
export interface RecordView {
  readonly seq: number;
  readonly kind: string;
  readonly at: Instant;
  readonly recorded: Instant;
  readonly cluster: string;
  readonly actor: string | null;
  readonly verb: string | null;
  readonly group: string | null;
  readonly resource: string | null;
  readonly namespace: string | null;
  readonly name: string | null;
  readonly outcome: string | null;
}

/** Everything needed to check one record without this server. */
export interface RecordEvidence {
  readonly seq: number;
  /** The canonical text that the tree holds. */
  readonly record: string;
  /** Hashes, base64. */
  readonly proof: readonly string[];
  /** A signed note. */
  readonly checkpoint: string;
}

/** Reads the ledger for people; the store's long reads do not hold up its writes. */
export class LedgerView {
  readonly #store: Store;
  constructor(store: Store) {
    this.#store = store;
  }

  async query(
    filter: LedgerFilter,
    page: { readonly limit: number; readonly before?: number | undefined },
  ): Promise<readonly RecordView[]> {
    return (await queryLedger(this.#store.reading, filter, page)).map(viewOf);
  }

  /** Undefined where there is no such record. */
  async evidence(seq: number): Promise<RecordEvidence | undefined> {
    const checkpoint = await latestCheckpoint(this.#store.reading);
    const [row] = await recordsFrom(this.#store.reading, seq, 1);
    if (checkpoint === undefined || row?.seq !== seq || seq >= checkpoint.size) return undefined;
    const proof = await inclusionProof(this.#store.reading, seq, checkpoint.size);
    return {
      seq,
      record: row.body,
      proof: proof.map((hash) => Buffer.from(hash).toString("base64")),
      checkpoint: checkpoint.note,
    };
  }

  async size(): Promise<number> {
    return (await latestCheckpoint(this.#store.reading))?.size ?? 0;
  }
}

function viewOf(row: LedgerRecordRow): RecordView {
  const { seq, kind, at, recorded, cluster, actor, verb, api_group, resource, namespace, name, outcome } = row;
  return { seq, kind, at, recorded, cluster, actor, verb, group: api_group, resource, namespace, name, outcome };
}
