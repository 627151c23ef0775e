import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AddressSet, parseAddress } from "./address-set.ts";
import { ConnectionSet, protocols } from "./connection-set.ts";

const connections: fc.Arbitrary<ConnectionSet> = fc
  .array(
    fc.record({
      protocol: fc.constantFrom<number>(protocols.TCP, protocols.UDP, protocols.SCTP, protocols.ICMP, 47),
      from: fc.integer({ min: 0, max: 65_535 }),
      length: fc.integer({ min: 0, max: 300 }),
      remove: fc.boolean(),
    }),
    { maxLength: 6 },
  )
  .map((parts) =>
    parts.reduce(
      (set, { protocol, from, length, remove }) => {
        const part = ConnectionSet.of(protocol, from, from + length);
        return remove ? set.subtract(part) : set.union(part);
      },
      parts.length % 2 === 0 ? ConnectionSet.none : ConnectionSet.all,
    ),
  );

const cidr = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 32 }))
    .map(([a, b, bits]) => `${a}.${b}.0.0/${bits}`),
  fc
    .tuple(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 128 }))
    .map(([a, bits]) => `${a.toString(16)}::/${bits}`),
);
const addresses: fc.Arbitrary<AddressSet> = fc.array(fc.tuple(cidr, fc.boolean()), { maxLength: 6 }).map((parts) =>
  parts.reduce(
    (set, [text, remove]) => {
      const part = AddressSet.parse(text) ?? AddressSet.none;
      return remove ? set.subtract(part) : set.union(part);
    },
    parts.length % 2 === 0 ? AddressSet.none : AddressSet.all,
  ),
);

interface Algebra<T> {
  readonly name: string;
  readonly any: fc.Arbitrary<T>;
  readonly none: T;
  readonly all: T;
}

interface Set<T> {
  union(other: T): T;
  intersect(other: T): T;
  subtract(other: T): T;
  equals(other: T): boolean;
  contains(other: T): boolean;
  readonly isEmpty: boolean;
}

function laws<T extends Set<T>>({ name, any, none, all }: Algebra<T>): void {
  describe(name, () => {
    const holds = (law: (a: T, b: T, c: T) => readonly [T, T]) =>
      fc.assert(
        fc.property(any, any, any, (a, b, c) => {
          const [left, right] = law(a, b, c);
          return left.equals(right) && right.equals(left);
        }),
      );
    test.each<readonly [string, (a: T, b: T, c: T) => readonly [T, T]]>([
      ["union commutes", (a, b) => [a.union(b), b.union(a)]],
      ["intersection commutes", (a, b) => [a.intersect(b), b.intersect(a)]],
      ["union is associative", (a, b, c) => [a.union(b).union(c), a.union(b.union(c))]],
      ["intersection distributes", (a, b, c) => [a.intersect(b.union(c)), a.intersect(b).union(a.intersect(c))]],
      ["difference is intersection with the rest", (a, b) => [a.subtract(b), a.intersect(all.subtract(b))]],
      ["De Morgan", (a, b) => [all.subtract(a.union(b)), all.subtract(a).intersect(all.subtract(b))]],
      ["absorption", (a, b) => [a.union(a.intersect(b)), a]],
      ["parts make the whole", (a, b) => [a.subtract(b).union(a.intersect(b)), a]],
      ["none and all", (a) => [a.union(none).intersect(all), a]],
    ])("%s", (_, law) => holds(law));
    test("containment is an empty rest", () => {
      fc.assert(fc.property(any, any, (a, b) => a.union(b).contains(b) && a.contains(b) === b.subtract(a).isEmpty));
    });
  });
}

laws({ name: "connections", any: connections, none: ConnectionSet.none, all: ConnectionSet.all });
laws({ name: "addresses", any: addresses, none: AddressSet.none, all: AddressSet.all });

describe("members", () => {
  test("a port is in a union where it is in one of the sets", () => {
    fc.assert(
      fc.property(connections, connections, fc.integer({ min: 1, max: 65_535 }), (a, b, port) => {
        const has = (set: ConnectionSet) => set.has(protocols.TCP, port);
        expect(has(a.union(b))).toBe(has(a) || has(b));
        expect(has(a.subtract(b))).toBe(has(a) && !has(b));
      }),
    );
  });
  test("an address is in the blocks that its set is made of, and in no other", () => {
    fc.assert(
      fc.property(addresses, fc.oneof(fc.ipV4(), fc.ipV6()), (set, text) => {
        const address = parseAddress(text);
        if (address === undefined) return;
        expect(set.toCidrs().some((block) => AddressSet.parse(block)?.has(address) === true)).toBe(set.has(address));
      }),
    );
  });
  test("equal sets have equal keys", () => {
    fc.assert(fc.property(connections, connections, (a, b) => (a.key === b.key) === a.equals(b)));
  });
});

test.each([
  [ConnectionSet.none, "no connections"],
  [ConnectionSet.all, "all connections"],
  [
    ConnectionSet.of(protocols.TCP).union(ConnectionSet.of(protocols.UDP)).union(ConnectionSet.of(protocols.SCTP)),
    "all connections",
  ],
  [
    ConnectionSet.of(protocols.TCP, 80)
      .union(ConnectionSet.of(protocols.TCP, 443))
      .union(ConnectionSet.of(protocols.UDP, 53, 54)),
    "TCP 80,443; UDP 53-54",
  ],
  [ConnectionSet.of(protocols.SCTP), "SCTP"],
])("in words: %s", (set, words) => {
  expect(set.toString()).toBe(words);
});
