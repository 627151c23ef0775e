import { expect, test } from "vitest";
import { compare } from "./compare.ts";
import { hasOpa } from "./opa-server.ts";

// Where there is no `opa` on PATH there is nothing to compare with.
test.skipIf(!hasOpa())("2,000 random queries have OPA's answers and error messages", async () => {
  expect(await compare(2000, 1, "strict")).toEqual([]);
});
