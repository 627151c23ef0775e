import { expect, test } from "vitest";
import { compareModules } from "./compare-modules.ts";
import { hasOpa } from "./opa-server.ts";

// Where there is no `opa` on PATH there is nothing to compare with.
test.skipIf(!hasOpa())("600 random modules evaluate as with OPA", { timeout: 120_000 }, async () => {
  const { differences, evaluated } = await compareModules(600, 1);
  expect(differences).toEqual([]);
  expect(evaluated).toBeGreaterThan(100);
});
