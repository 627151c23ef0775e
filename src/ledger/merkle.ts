import { encodeUtf8 } from "../core/utf8.ts";

/** SHA-256 of some bytes: 32 bytes. Given by the host, because hosts have faster ones than a pure module. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** The Merkle tree of RFC 6962 section 2: leaves and nodes are hashed under different prefixes. */
export interface MerkleHashes {
  leaf(record: Uint8Array): Uint8Array;
  /** The leaf hash of a text's UTF-8 bytes. */
  leafOfText(record: string): Uint8Array;
  node(left: Uint8Array, right: Uint8Array): Uint8Array;
  readonly empty: Uint8Array;
}

/** `ofText` may be a host's faster way to the SHA-256 of a text's UTF-8 bytes. */
export function merkleHashes(
  sha256: Sha256,
  ofText: (text: string) => Uint8Array = (text) => sha256(encodeUtf8(text)),
): MerkleHashes {
  return {
    leaf(record) {
      const input = new Uint8Array(record.length + 1);
      input.set(record, 1);
      return sha256(input);
    },
    leafOfText: (record) => ofText(`\0${record}`),
    node(left, right) {
      const input = new Uint8Array(1 + left.length + right.length);
      input[0] = 1;
      input.set(left, 1);
      input.set(right, 1 + left.length);
      return sha256(input);
    },
    empty: sha256(new Uint8Array(0)),
  };
}

/** Whether two hashes are the same bytes. */
export function sameHash(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The largest power of two smaller than `size`; `size` is at least 2. */
export function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** The hash over the leaves `start` (included) to `end` (excluded) of a tree. */
export type RangeHash = (start: number, end: number) => Uint8Array;

/** Range hashes of leaves that are all in memory. */
export function rangeHash(hashes: MerkleHashes, leaves: readonly Uint8Array[]): RangeHash {
  const over: RangeHash = (start, end) => {
    if (end - start < 2) return leaves[start] ?? hashes.empty;
    const split = start + splitOf(end - start);
    return hashes.node(over(start, split), over(split, end));
  };
  return over;
}

/** The ranges whose hashes prove leaf `index` in a tree of `size` leaves, from the leaf upwards (RFC 6962 2.1.1). */
export function inclusionRanges(index: number, size: number): readonly (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const split = start + splitOf(end - start);
    if (index < split) {
      ranges.unshift([split, end]);
      end = split;
    } else {
      ranges.unshift([start, split]);
      start = split;
    }
  }
  return ranges;
}

/** The ranges whose hashes prove that a tree of `older` leaves is the beginning of one of `size` (RFC 6962 2.1.2). */
export function consistencyRanges(older: number, size: number): readonly (readonly [number, number])[] {
  if (older <= 0 || older >= size) return [];
  const ranges: (readonly [number, number])[] = [];
  let start = 0;
  let end = size;
  while (end !== older) {
    const split = start + splitOf(end - start);
    if (older <= split) {
      ranges.unshift([split, end]);
      end = split;
    } else {
      ranges.unshift([start, split]);
      start = split;
    }
  }
  // A range that begins at the first leaf is the older tree itself, which the verifier holds.
  return start === 0 ? ranges : [[start, end], ...ranges];
}
