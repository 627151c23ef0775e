import { expect, test } from "vitest";
import { LoginAttempts } from "./login-attempt.ts";

const key = (byte: number) => new Uint8Array(32).fill(byte);
const attempt = { state: "s", nonce: "n", verifier: "v" };

test.each([
  ["as another replica reads it", 1, 0, (sealed: string) => sealed, { attempt, back: "/oauth/interaction/x" }],
  ["at its last moment", 1, 599_000, (sealed: string) => sealed, { attempt, back: "/oauth/interaction/x" }],
  ["after ten minutes", 1, 601_000, (sealed: string) => sealed, undefined],
  ["of another installation", 2, 0, (sealed: string) => sealed, undefined],
  ["changed", 1, 0, (sealed: string) => `${sealed.slice(0, -2)}xx`, undefined],
  ["that is none", 1, 0, () => "", undefined],
])("a login under way, %s", async (_, byte, later, changed, read) => {
  const sealed = await new LoginAttempts(key(1), () => 1e12).seal({ attempt, back: "/oauth/interaction/x" });
  expect(sealed).not.toContain("verifier");
  expect(await new LoginAttempts(key(byte), () => 1e12 + later).open(changed(sealed))).toEqual(read);
});
