import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addToTime, formatRfc3339, parseGoTime, rfc3339, timeBetween, timeFromMilliseconds, truncateTime } from "./go-time.ts";

/** Layout, text, and the time that Go reads, in RFC 3339; undefined where it refuses the text. */
const cases: readonly (readonly [string, string, string | undefined])[] = [
  [rfc3339, "2021-01-02T15:04:05-07:00", "2021-01-02T15:04:05-07:00"],
  [rfc3339, "2021-01-02T15:04:05.123Z", "2021-01-02T15:04:05Z"],
  [rfc3339, "2021-01-02T5:04:05Z", "2021-01-02T05:04:05Z"],
  [rfc3339, "2021-01-02T15:04:05+00:00", "2021-01-02T15:04:05Z"],
  [rfc3339, "2021-02-30T15:04:05Z", undefined],
  [rfc3339, "2021-01-02T24:04:05Z", undefined],
  [rfc3339, "2021-01-02T15:04:60Z", undefined],
  [rfc3339, "2021-01-02 15:04:05Z", undefined],
  [rfc3339, "2021-01-02T15:04:05Z ", undefined],
  ["2006-01-02", "2024-02-29", "2024-02-29T00:00:00Z"],
  ["Mon Jan _2 15:04:05 2006", "Tue Mar  3 10:20:30 2020", "2020-03-03T10:20:30Z"],
  ["Mon Jan 02 2006 15:04:05 -0700", "Fri Jun 22 2022 17:45:00 +0100", "2022-06-22T17:45:00+01:00"],
  ["02 Jan 06 15:04 MST", "02 Jan 69 15:04 PST", "1969-01-02T15:04:00Z"],
  ["2006-01-02 MST", "2000-04-05 GMT+3", "2000-04-05T03:00:00+03:00"],
  ["3:04PM", "12:30AM", "0000-01-01T00:30:00Z"],
  ["2006 002", "2024 060", "2024-02-29T00:00:00Z"],
  ["2006 002", "2023 366", undefined],
  ["05.000", "33.12", undefined],
  ["January 2", "Monkey 2", undefined],
];

describe("times in Go layouts", () => {
  test.each(cases)("%j %j", (layout, text, expected) => {
    const time = parseGoTime(layout, text);
    expect(time === undefined ? undefined : formatRfc3339(time)).toBe(expected);
  });

  test("what is written in RFC 3339 can be read", () => {
    const instants = fc.integer({ min: -62_135_596_800, max: 253_402_300_799 });
    const offsets = fc.integer({ min: -1439, max: 1439 });
    fc.assert(
      fc.property(instants, offsets, (seconds, minutes) => {
        const time = { nanoseconds: BigInt(seconds) * 1_000_000_000n, offset: minutes * 60 };
        const text = formatRfc3339(time);
        // Near the ends the local year leaves the four digits that the format has.
        if (!/^\d{4}-/.test(text) || text.startsWith("0000")) return;
        expect(parseGoTime(rfc3339, text)).toEqual(time);
      }),
    );
  });

  test("arithmetic", () => {
    const noon = timeFromMilliseconds(Date.UTC(2023, 0, 12, 12));
    expect(formatRfc3339(addToTime(noon, -3_600_000_000_000n))).toBe("2023-01-12T11:00:00Z");
    expect(timeBetween(noon, addToTime(noon, 5n))).toBe(5n);
    expect(formatRfc3339(truncateTime(addToTime(noon, 90_000_000_000n), 60_000_000_000n))).toBe("2023-01-12T12:01:00Z");
    expect(truncateTime(noon, 0n)).toBe(noon);
    const year1 = { nanoseconds: -62_135_596_800n * 1_000_000_000n, offset: 0 };
    expect(timeBetween(year1, noon)).toBe((1n << 63n) - 1n);
  });
});
