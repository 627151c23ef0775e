import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatNetwork, hasHostBits, isStrictSubset, parseAddress, parseCidr } from "./cidr.ts";

describe("address ranges", () => {
  test.each([
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["10.1.2.3/16", "10.1.0.0/16"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["255.255.255.255/32", "255.255.255.255/32"],
    ["fd00::/8", "fd00::/8"],
    ["2001:db8:0:0:1:0:0:1/128", "2001:db8::1:0:0:1/128"],
    ["::/0", "::/0"],
    ["::1/128", "::1/128"],
    ["2001:DB8::5/32", "2001:db8::/32"],
    ["1:2:3:4:5:6:7:8/128", "1:2:3:4:5:6:7:8/128"],
  ])("%s is the network %s", (text, network) => {
    const cidr = parseCidr(text);
    expect(cidr === undefined ? undefined : formatNetwork(cidr)).toBe(network);
  });

  test.each([
    "10.0.0.0",
    "10.0.0/8",
    "10.0.0.256/8",
    "10.0.0.0/33",
    "10.0.0.0/",
    "a.b.c.d/8",
    "::/129",
    ":::/8",
    "1::2::3/64",
    "1:2:3/64",
    "",
  ])("%j is none", (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });

  const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }));
  const v6 = fc.tuple(
    fc
      .bigInt({ min: 0n, max: (1n << 128n) - 1n })
      .map((n) => Array.from({ length: 8 }, (_, i) => ((n >> BigInt(16 * i)) & 0xffffn).toString(16)).join(":")),
    fc.integer({ min: 0, max: 128 }),
  );

  test("a network is written so that it reads back, without host bits", () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), ([address, prefix]) => {
        const cidr = parseCidr(`${address}/${prefix}`);
        if (cidr === undefined) throw new Error(address);
        const again = parseCidr(formatNetwork(cidr));
        if (again === undefined) throw new Error(formatNetwork(cidr));
        expect(hasHostBits(again)).toBe(false);
        expect(formatNetwork(again)).toBe(formatNetwork(cidr));
        expect(parseAddress(address)?.address).toBe(cidr.address);
      }),
    );
  });

  test("a strict subset is smaller and within", () => {
    const of = (text: string) => parseCidr(text) ?? { family: 4 as const, address: 0n, prefix: 0 };
    expect(isStrictSubset(of("10.1.0.0/16"), of("10.0.0.0/8"))).toBe(true);
    expect(isStrictSubset(of("10.0.0.0/8"), of("10.0.0.0/8"))).toBe(false);
    expect(isStrictSubset(of("11.0.0.0/16"), of("10.0.0.0/8"))).toBe(false);
    expect(isStrictSubset(of("::/64"), of("0.0.0.0/0"))).toBe(false);
  });
});
