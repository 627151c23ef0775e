import { expect, test } from "vitest";
import { latest } from "./latest.ts";

test("what was computed last is kept for its own object alone", () => {
  const asked: string[] = [];
  const upper = latest(({ name }: { readonly name: string }) => {
    asked.push(name);
    return name.toUpperCase();
  });
  const [a, b] = [{ name: "a" }, { name: "b" }];
  expect([a, a, b, b, { ...b }, a].map(upper)).toEqual(["A", "A", "B", "B", "B", "A"]);
  expect(asked).toEqual(["a", "b", "b", "a"]);
});

test("what threw is computed again", () => {
  let calls = 0;
  const once = latest(() => {
    if (calls++ === 0) throw new Error("not yet");
    return calls;
  });
  const key = {};
  expect(() => once(key)).toThrow("not yet");
  expect(once(key)).toBe(2);
});
