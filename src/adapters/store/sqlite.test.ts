import { expect, test } from "vitest";
import { mayShareMoving } from "./sqlite.ts";

test.each([
  ["3.51.2", false],
  ["3.50.7", false],
  ["3.51.3", true],
  ["3.53.4", true],
  ["4.0.0", true],
  [undefined, false],
  ["unknown", false],
])("SQLite %s: another thread may move the log: %s", (version, may) => {
  expect(mayShareMoving(version)).toBe(may);
});
