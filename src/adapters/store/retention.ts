import type { Kysely } from "kysely";
import { parseExactJson } from "../../core/exact-json.ts";
import type { Instant } from "../../core/host.ts";
import { type JsonValue, member } from "../../core/json.ts";
import { type Frontier, packFrontier, unpackFrontier } from "../../ledger/frontier.ts";
import { storedRangeHash } from "../../ledger/tile.ts";
import type { Ledger } from "./ledger.ts";
import { ledgerHashes } from "./ledger-hashes.ts";
import { storedHashes } from "./ledger-reading.ts";
import type { Store } from "./store.ts";
import type { Tables } from "./tables.ts";

/** Stored hashes cover this many records; only whole ones are removed, so that proofs of the rest stay possible. */
const block = 256;

const pruning = { kind: "server.event", verb: "prune" } as const;

export interface Pruned {
  /** Records removed now. */
  readonly removed: number;
  /** The first record that is still there. */
  readonly first: number;
}

/**
 * Removes the records that were taken before `cutoff`, oldest first, in whole blocks. The hashes over them stay, so that
 * the signed checkpoints still prove everything that is left; a record of the same transaction says that they were
 * removed, so that nobody else can take them away.
 */
export async function pruneLedger(store: Store, ledger: Ledger, cutoff: Instant, now: Instant): Promise<Pruned> {
  return ledger.transact(async (on, write) => {
    let query = on.selectFrom("ledger_head").selectAll();
    if (store.engine === "postgres") query = query.forUpdate();
    const head = await query.executeTakeFirstOrThrow();
    const next = await on
      .selectFrom("ledger_records")
      .select("seq")
      .where("recorded", ">=", cutoff)
      .orderBy("seq")
      .limit(1)
      .executeTakeFirst();
    const first = Math.floor((next?.seq ?? head.size) / block) * block;
    if (first <= head.pruned_size) return { removed: 0, first: head.pruned_size };
    if (unpackFrontier(head.pruned_size, head.pruned_frontier) === undefined) {
      throw new Error("the ledger's head is damaged; run `castellan audit verify`");
    }
    const removed = first - head.pruned_size;
    const frontier = await frontierAt(on, first);
    await on.deleteFrom("ledger_keys").where("seq", "<", first).execute();
    await on.deleteFrom("ledger_records").where("seq", "<", first).execute();
    await on
      .updateTable("ledger_head")
      .set({ pruned_size: first, pruned_frontier: packFrontier(frontier) })
      .where("id", "=", 1)
      .execute();
    await write([{ ...pruning, at: now, cluster: "", outcome: "done", data: { before: cutoff, first, removed } }]);
    return { removed, first };
  });
}

/** The first record that is left, by the last record that says that those before it were removed; 0 where none does. */
export async function recordedPruning(db: Kysely<Tables>): Promise<number> {
  const said = await db
    .selectFrom("ledger_records")
    .select("body")
    .where("kind", "=", pruning.kind)
    .where("verb", "=", pruning.verb)
    .orderBy("seq", "desc")
    .limit(1)
    .executeTakeFirst();
  const first = said === undefined ? undefined : member(member(textOf(said.body), "data"), "first");
  return typeof first === "number" ? first : 0;
}

/** Who changed the text is found out by its hash. */
function textOf(body: string): JsonValue {
  try {
    return parseExactJson(body);
  } catch {
    return null;
  }
}

/** The frontier of the tree of the first `size` leaves, a multiple of the block. */
async function frontierAt(on: Parameters<typeof storedHashes>[0], size: number): Promise<Frontier> {
  const stored = storedHashes(on);
  const subtrees: Uint8Array[] = [];
  for (let start = 0; start < size; ) {
    let leaves = block;
    while (start + leaves * 2 <= size && start % (leaves * 2) === 0) leaves *= 2;
    subtrees.push(await storedRangeHash(ledgerHashes, stored, start, start + leaves));
    start += leaves;
  }
  return { size, subtrees };
}
