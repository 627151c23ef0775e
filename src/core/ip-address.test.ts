import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatIpAddress, maskPrefix, parseIpAddress, parseIpPrefix, prefixContains } from "./ip-address.ts";

describe("addresses", () => {
  test.each([
    ["127.0.0.1", "127.0.0.1"],
    ["::", "::"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["::ffff:1.2.3.4", "::ffff:1.2.3.4"],
    ["fe80::1%eth0", "fe80::1%eth0"],
    ["1:2:3:4:5:6:7.8.9.10", "1:2:3:4:5:6:708:90a"],
  ])("%s is written %s", (text, expected) => {
    const parsed = parseIpAddress(text);
    expect(parsed.ok ? formatIpAddress(parsed.value) : parsed.message).toBe(expected);
  });

  test.each([
    ["", 'ParseAddr(""): unable to parse IP'],
    ["1.2.3", 'ParseAddr("1.2.3"): IPv4 address too short'],
    ["1.2.3.4.5", 'ParseAddr("1.2.3.4.5"): IPv4 address too long'],
    ["1.2.3.256", 'ParseAddr("1.2.3.256"): IPv4 field has value >255'],
    ["1.2.3.04", 'ParseAddr("1.2.3.04"): IPv4 field has octet with leading zero'],
    [":::", 'ParseAddr(":::"): each colon-separated field must have at least one digit (at ":")'],
    ["1::2::3", 'ParseAddr("1::2::3"): multiple :: in address (at ":3")'],
    ["1:2:3:4:5:6:7", 'ParseAddr("1:2:3:4:5:6:7"): address string too short'],
  ])("%j is none: %s", (text, message) => {
    expect(parseIpAddress(text)).toEqual({ ok: false, message });
  });

  test("what is written can be read again", () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant(0), group), { minLength: 8, maxLength: 8 }), (groups) => {
        const parsed = parseIpAddress(groups.map((part) => part.toString(16)).join(":"));
        if (!parsed.ok) throw new Error(parsed.message);
        expect(parseIpAddress(formatIpAddress(parsed.value))).toEqual(parsed);
      }),
    );
  });
});

describe("prefixes", () => {
  test.each([
    ["10.1.2.3/8", "10.0.0.0"],
    ["2001:db8::1/32", "2001:db8::"],
    ["1.2.3.4/32", "1.2.3.4"],
    ["::1/0", "::"],
  ])("%s is masked to %s", (text, expected) => {
    const parsed = parseIpPrefix(text);
    expect(parsed.ok ? formatIpAddress(maskPrefix(parsed.value).address) : parsed.message).toBe(expected);
  });

  test.each(["10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "::1%a/8", "10.0.0.0/"])("%s is none", (text) => {
    expect(parseIpPrefix(text).ok).toBe(false);
  });

  test("addresses of the other family are outside", () => {
    const [prefix, four, six] = [parseIpPrefix("0.0.0.0/0"), parseIpAddress("1.2.3.4"), parseIpAddress("::1")];
    if (!prefix.ok || !four.ok || !six.ok) throw new Error("no addresses");
    expect(prefixContains(prefix.value, four.value)).toBe(true);
    expect(prefixContains(prefix.value, six.value)).toBe(false);
  });
});
