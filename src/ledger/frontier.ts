import type { MerkleHashes } from "./merkle.ts";

/**
 * What a growing tree must remember: the roots of its perfect subtrees, largest first, one for each binary one of
 * `size`. Appending costs one hash on average.
 */
export interface Frontier {
  readonly size: number;
  readonly subtrees: readonly Uint8Array[];
}

export const emptyFrontier: Frontier = { size: 0, subtrees: [] };

/** A perfect subtree that an append completed: `2 ** level` leaves, the `index`-th of its level from the left. */
export interface CompletedSubtree {
  readonly level: number;
  readonly index: number;
  readonly hash: Uint8Array;
}

/** The frontier after one leaf more; `completed` is told each perfect subtree that the leaf closes. */
export function appendLeaf(
  hashes: MerkleHashes,
  frontier: Frontier,
  leaf: Uint8Array,
  completed?: (subtree: CompletedSubtree) => void,
): Frontier {
  return appendSubtree(hashes, frontier, { level: 0, hash: leaf }, completed);
}

/** As `appendLeaf` for `2 ** level` leaves at once; the frontier's size is a multiple of that. */
export function appendSubtree(
  hashes: MerkleHashes,
  frontier: Frontier,
  subtree: { readonly level: number; readonly hash: Uint8Array },
  completed?: (subtree: CompletedSubtree) => void,
): Frontier {
  const subtrees = [...frontier.subtrees];
  const leaves = 2 ** subtree.level;
  let { level, hash } = subtree;
  for (let rest = frontier.size / leaves; rest % 2 === 1; rest = Math.floor(rest / 2)) {
    hash = hashes.node(subtrees.pop() ?? hashes.empty, hash);
    level++;
    completed?.({ level, index: Math.floor(rest / 2), hash });
  }
  subtrees.push(hash);
  return { size: frontier.size + leaves, subtrees };
}

/** The root hash of the tree that a frontier stands for. */
export function rootOf(hashes: MerkleHashes, frontier: Frontier): Uint8Array {
  let root: Uint8Array | undefined;
  for (let i = frontier.subtrees.length - 1; i >= 0; i--) {
    const subtree = frontier.subtrees[i] ?? hashes.empty;
    root = root === undefined ? subtree : hashes.node(subtree, root);
  }
  return root ?? hashes.empty;
}

const hashLength = 32;

/** A frontier's subtrees one after the other, as the store keeps them. */
export function packFrontier(frontier: Frontier): Uint8Array {
  const bytes = new Uint8Array(frontier.subtrees.length * hashLength);
  frontier.subtrees.forEach((subtree, i) => {
    bytes.set(subtree, i * hashLength);
  });
  return bytes;
}

/** Undefined where the bytes are not as many hashes as a tree of `size` leaves has perfect subtrees. */
export function unpackFrontier(size: number, bytes: Uint8Array): Frontier | undefined {
  let ones = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  if (bytes.length !== ones * hashLength) return undefined;
  const subtrees = Array.from({ length: ones }, (_, i) => bytes.slice(i * hashLength, (i + 1) * hashLength));
  return { size, subtrees };
}
