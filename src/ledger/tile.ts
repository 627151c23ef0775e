import type { CompletedSubtree } from "./frontier.ts";
import { type MerkleHashes, splitOf } from "./merkle.ts";

/** Levels of the perfect subtrees whose hashes are stored: 256, 65,536 and 16,777,216 leaves. */
const tileLevels: readonly number[] = [8, 16, 24];

export const isTile = (subtree: CompletedSubtree) => tileLevels.includes(subtree.level);

/** The hashes that a store keeps. Errors of the store reject; a hash that is not there rejects too. */
export interface StoredHashes {
  /** Leaf hashes from `start` (included) to `end` (excluded). */
  leaves(start: number, end: number): Promise<readonly Uint8Array[]>;
  /** Hashes of one level's perfect subtrees, by their index, `start` included, `end` excluded. */
  tiles(level: number, start: number, end: number): Promise<readonly Uint8Array[]>;
}

/**
 * The hash over the leaves `start` to `end`, a range of a tree (a perfect subtree, or one that reaches to the tree's
 * end): from the largest stored subtrees that fill it, so that a proof reads hundreds of hashes, not millions.
 */
export async function storedRangeHash(
  hashes: MerkleHashes,
  stored: StoredHashes,
  start: number,
  end: number,
): Promise<Uint8Array> {
  const size = end - start;
  if (size === 0) return hashes.empty;
  for (const level of [...tileLevels, 0].sort((a, b) => b - a)) {
    const leaves = 2 ** level;
    if (size < leaves || size % leaves !== 0 || start % leaves !== 0) continue;
    if (size / leaves > 256) break;
    const [from, to] = [start / leaves, end / leaves];
    return perfectHash(hashes, level === 0 ? await stored.leaves(from, to) : await stored.tiles(level, from, to), to - from);
  }
  const split = start + splitOf(size);
  const left = await storedRangeHash(hashes, stored, start, split);
  return hashes.node(left, await storedRangeHash(hashes, stored, split, end));
}

function perfectHash(hashes: MerkleHashes, nodes: readonly Uint8Array[], expected: number): Uint8Array {
  if (nodes.length !== expected) throw new Error("the ledger lacks hashes that it must have; run `castellan audit verify`");
  const over = (start: number, end: number): Uint8Array => {
    if (end - start === 1) return nodes[start] ?? hashes.empty;
    const split = start + splitOf(end - start);
    return hashes.node(over(start, split), over(split, end));
  };
  return over(0, nodes.length);
}
