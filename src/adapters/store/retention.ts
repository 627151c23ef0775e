import type { Instant } from "../../core/host.ts";
import { type Frontier, packFrontier, unpackFrontier } from "../../ledger/frontier.ts";
import { storedRangeHash } from "../../ledger/tile.ts";
import { ledgerHashes } from "./ledger-hashes.ts";
import { storedHashes } from "./ledger-reading.ts";
import type { Store } from "./store.ts";

/** Stored hashes cover this many records; only whole ones are removed, so that proofs of the rest stay possible. */
const block = 256;

export interface Pruned {
  /** Records removed now. */
  readonly removed: number;
  /** The first record that is still there. */
  readonly first: number;
}

/**
 * Removes the records that were taken before `cutoff`, oldest first, in whole blocks. The hashes over them stay, so that
 * the signed checkpoints still prove everything that is left, and that nothing else was taken out.
 */
export async function pruneLedger(store: Store, cutoff: Instant): Promise<Pruned> {
  return store.db.transaction().execute(async (on) => {
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
    const frontier = await frontierAt(on, first);
    await on.deleteFrom("ledger_keys").where("seq", "<", first).execute();
    await on.deleteFrom("ledger_records").where("seq", "<", first).execute();
    await on
      .updateTable("ledger_head")
      .set({ pruned_size: first, pruned_frontier: packFrontier(frontier) })
      .where("id", "=", 1)
      .execute();
    return { removed: first - head.pruned_size, first };
  });
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
