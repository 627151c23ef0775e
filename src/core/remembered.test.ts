import { expect, test } from "vitest";
import { remembered } from "./remembered.ts";

test.each([[1], [undefined], [null]])("%s is computed once", (value) => {
  let calls = 0;
  const ask = remembered(2, () => {
    calls++;
    return value;
  });
  expect([ask("a"), ask("a")]).toEqual([value, value]);
  expect(calls).toBe(1);
});

test("of too many texts all are forgotten, and asked for again", () => {
  const asked: string[] = [];
  const ask = remembered(2, (text) => asked.push(text));
  for (const text of ["a", "b", "c", "a", "c"]) ask(text);
  expect(asked).toEqual(["a", "b", "c", "a"]);
});

test("what throws is asked again", () => {
  let calls = 0;
  const ask = remembered(2, () => {
    if (++calls === 1) throw new Error("not yet");
    return calls;
  });
  expect(() => ask("a")).toThrow("not yet");
  expect(ask("a")).toBe(2);
});
