import { expect, test } from "vitest";
import { HeldCalls } from "./held-calls.ts";

test("one person has so much room, all together have so much, and room that is given back is there for others", () => {
  const held = new HeldCalls({ perPerson: 2, inAll: 3 });
  const [first, second] = [held.take("ada"), held.take("ada")];
  expect([first, second].map((one) => typeof one)).toEqual(["function", "function"]);
  expect(held.take("ada")).toBeUndefined();
  const third = held.take("bob");
  expect(third).toBeDefined();
  expect(held.take("eve")).toBeUndefined();
  first?.();
  first?.();
  expect(held.take("eve")).toBeDefined();
  expect(held.take("bob")).toBeUndefined();
  second?.();
  third?.();
  expect([held.take("ada"), held.take("ada"), held.take("ada")].map((one) => typeof one)).toEqual([
    "function",
    "function",
    "undefined",
  ]);
});
