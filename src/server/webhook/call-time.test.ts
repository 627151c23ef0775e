import { expect, test } from "vitest";
import { budgetOf } from "./call-time.ts";

test.each<[string, string | null, number]>([
  ["ten seconds leave nine", "10s", 9000],
  ["the longest timeout leaves all but a second", "30s", 29_000],
  ["of little time a quarter is left for the way", "2s", 1500],
  ["as of a second", "1s", 750],
  ["who says nothing has Kubernetes' default", null, 9000],
  ["who says what is no time has it, too", "soon", 9000],
  ["nobody waits longer than Kubernetes lets them", "3600s", 29_000],
  ["no time at all is none that was meant", "0s", 9000],
])("%s", (_, timeout, milliseconds) => {
  expect(budgetOf(timeout)).toBe(milliseconds);
});
