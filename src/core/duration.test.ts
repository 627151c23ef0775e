import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { durationFromNumber, formatDuration, parseDuration, toSeconds, wrapDuration } from "./duration.ts";

/** Text, nanoseconds and canonical text as Go's time package gives them; undefined where it refuses the text. */
const cases: readonly (readonly [string, bigint | undefined, string?])[] = [
  ["0", 0n, "0s"],
  ["-0", 0n, "0s"],
  ["1h", 3_600_000_000_000n, "1h0m0s"],
  ["1h30m", 5_400_000_000_000n, "1h30m0s"],
  ["1.5h", 5_400_000_000_000n, "1h30m0s"],
  ["-1.5s", -1_500_000_000n, "-1.5s"],
  [".5s", 500_000_000n, "500ms"],
  ["5.s", 5_000_000_000n, "5s"],
  ["1m30.5s", 90_500_000_000n, "1m30.5s"],
  ["1us", 1000n, "1\u00b5s"],
  ["1\u00b5s", 1000n, "1\u00b5s"],
  ["1\u03bcs", 1000n, "1\u00b5s"],
  ["2ns", 2n, "2ns"],
  ["9223372036854775807ns", 9_223_372_036_854_775_807n, "2562047h47m16.854775807s"],
  ["-9223372036854775808ns", -9_223_372_036_854_775_808n, "-2562047h47m16.854775808s"],
  ["0.100000000000000000000h", 360_000_000_000n, "6m0s"],
  ["0.9223372036854775807s", 922_337_203n, "922.337203ms"],
  ["9223372036854775808ns", undefined],
  ["1d", undefined],
  ["1", undefined],
  ["h", undefined],
  ["1h1", undefined],
  ["--1s", undefined],
  ["1.1.1s", undefined],
  ["1e3s", undefined],
  ["", undefined],
];

describe("durations", () => {
  test.each(cases.map(([text, nanoseconds, canonical]) => ({ text, nanoseconds, canonical })))("$text", (row) => {
    const { text, nanoseconds, canonical } = row;
    const duration = parseDuration(text);
    expect(duration).toBe(nanoseconds);
    if (duration !== undefined) expect(formatDuration(duration)).toBe(canonical);
  });

  test("what is written can be read", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), (d) => parseDuration(formatDuration(d)) === d),
    );
  });

  test("a text of digits is read in linear time", () => {
    expect(parseDuration(`${"1".repeat(100_000)}x`)).toBeUndefined();
    expect(parseDuration(`${"1".repeat(100_000)}s`)).toBeUndefined();
  });

  test("conversions cut and wrap as Go's do", () => {
    expect(toSeconds(1_500_000_000n)).toBe(1.5);
    expect(durationFromNumber(1.9)).toBe(1n);
    expect(durationFromNumber(Number.NaN)).toBe(-(1n << 63n));
    expect(wrapDuration(1n << 63n)).toBe(-(1n << 63n));
  });
});
