import { type AddressSet, parseAddress } from "../address-set.ts";
import { intervalsOf } from "../interval-set.ts";
import type { CompiledPolicy } from "../rule.ts";

/** The bounds of all address blocks of policies: two addresses between the same bounds are in the same blocks. */
export class AddressBounds {
  readonly #bounds4: readonly number[];
  readonly #bounds6: readonly bigint[];

  constructor(blocks: Iterable<AddressSet>) {
    const bounds4 = new Set<number>();
    const bounds6 = new Set<bigint>();
    for (const { v4, v6 } of blocks) {
      for (const bound of v4) bounds4.add(bound);
      for (const bound of v6) bounds6.add(bound);
    }
    this.#bounds4 = [...bounds4].sort((a, b) => a - b);
    this.#bounds6 = [...bounds6].sort((a, b) => (a < b ? -1 : 1));
  }

  /** Equal for addresses that no block tells apart. */
  classOf(text: string): string {
    const address = parseAddress(text);
    if (address === undefined) return text;
    return address.family === 4 ? `4:${countTo(this.#bounds4, address.value)}` : `6:${countTo(this.#bounds6, address.value)}`;
  }

  /** Whether every bound of the block is one of these already. */
  knows({ v4, v6 }: AddressSet): boolean {
    return (
      v4.every((b) => this.#bounds4[countTo(this.#bounds4, b) - 1] === b) &&
      v6.every((b) => this.#bounds6[countTo(this.#bounds6, b) - 1] === b)
    );
  }
}

/** How many bounds are at or below the value. */
function countTo<T extends NonNullable<unknown>>(bounds: readonly T[], value: T): number {
  let [low, high] = [0, bounds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const bound = bounds[middle];
    if (bound !== undefined && bound <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The address blocks by which a policy may tell pods apart. */
export function* blocksOf(policy: CompiledPolicy): Generator<AddressSet> {
  for (const rule of [...policy.rules.ingress, ...policy.rules.egress]) {
    for (const term of rule.subjects === undefined ? rule.peers : [...rule.peers, rule.subjects]) {
      for (const set of [term.byAddress, term.within, term.outside]) if (set !== undefined) yield set;
    }
  }
}

/** The addresses at which single pods stand, in order: which pods a block holds. */
export class AddressIndex {
  readonly #entries4: { readonly at: number; readonly id: number }[] = [];
  readonly #entries6: { readonly at: bigint; readonly id: number }[] = [];

  constructor(
    classes: Iterable<{ readonly id: number; readonly addresses: readonly { family: 4 | 6; value: number | bigint }[] }>,
  ) {
    for (const { id, addresses } of classes) {
      for (const { family, value } of addresses) {
        if (family === 4) this.#entries4.push({ at: Number(value), id });
        else this.#entries6.push({ at: BigInt(value), id });
      }
    }
    this.#entries4.sort((a, b) => a.at - b.at);
    this.#entries6.sort((a, b) => (a.at < b.at ? -1 : 1));
  }

  within(set: AddressSet, found: (id: number) => void): void {
    if (this.#entries4.length > 0) visit(this.#entries4, intervalsOf(set.v4), found);
    if (this.#entries6.length > 0) visit(this.#entries6, intervalsOf(set.v6), found);
  }
}

function visit<T extends number | bigint>(
  entries: readonly { readonly at: T; readonly id: number }[],
  intervals: readonly (readonly [T, T])[],
  found: (id: number) => void,
): void {
  for (const [from, end] of intervals) {
    let [low, high] = [0, entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = entries[middle];
      if (entry !== undefined && entry.at < from) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < entries.length; i++) {
      const entry = entries[i];
      if (entry === undefined || entry.at >= end) break;
      found(entry.id);
    }
  }
}
