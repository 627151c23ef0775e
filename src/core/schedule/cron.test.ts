import { expect, test } from "vitest";
import { isCron, isDue } from "./cron.ts";

test.each([
  ["*/2 * * * *", true],
  ["0 0 * * 1-5", true],
  ["@daily", true],
  ["invalid-schedule", false],
  ["", false],
  ["61 * * * *", false],
  ["0 0 0 * * *", false],
])("%j is a schedule: %s", (text, expected) => {
  expect(isCron(text)).toBe(expected);
});

const at = (text: string) => Date.parse(`2026-11-22T${text}Z`);

test.each([
  ["10:00:01", "10:01:00", true],
  ["10:00:01", "10:00:59", false],
  ["10:01:00", "10:01:59", false],
  ["10:00:00", "10:05:00", true],
])("every minute, between %s and %s: %s", (from, until, expected) => {
  expect(isDue("* * * * *", at(from), at(until))).toBe(expected);
});

test("schedules are in UTC", () => {
  expect(isDue("30 6 * * *", at("06:29:00"), at("06:31:00"))).toBe(true);
  expect(isDue("30 6 * * *", at("07:29:00"), at("07:31:00"))).toBe(false);
});
