import { expect, test } from "vitest";
import { once } from "./once.ts";

test.each([[1], [undefined], [null]])("%s is computed at the first call, and then kept", (value) => {
  let calls = 0;
  const get = once(() => {
    calls++;
    return value;
  });
  expect(calls).toBe(0);
  expect([get(), get()]).toEqual([value, value]);
  expect(calls).toBe(1);
});

test("what throws is asked again", () => {
  let calls = 0;
  const get = once(() => {
    if (++calls === 1) throw new Error("not yet");
    return calls;
  });
  expect(get).toThrow("not yet");
  expect(get()).toBe(2);
});
