import { describe, expect, test } from "vitest";
import { CallKeys } from "./call-keys.ts";

const hour = 3_600_000;
const start = 500_000 * hour;
const keys = (at: number, secret = "secret") => new CallKeys(secret, () => at);
const registered = (prefix = "") => keys(start).path(prefix);

describe("keys in the paths of webhooks", () => {
  test("what was registered is opened, by every replica that shares the secret", () => {
    expect(keys(start).open(`${registered()}/validate/deny`)).toBe("/validate/deny");
    expect(keys(start).open(`${registered("/clusters/prod")}/policies`)).toBe("/clusters/prod/policies");
  });

  test("API servers take them on the way to a Service, where each part is a name as of DNS", () => {
    expect(registered()).toMatch(/^\/[0-9a-f]{64}$/);
  });

  test.for([
    ["an hour ago", hour, true],
    ["by a clock that is ahead", -hour, true],
    ["two hours ago", 2 * hour, false],
  ] as const)("a path that was registered %s is good: %s", ([, later, isGood]) => {
    expect(keys(start + later).open(`${registered()}/mutate/allow`)).toBe(isGood ? "/mutate/allow" : undefined);
  });

  test.for([
    ["no key", (): string => "/validate/deny"],
    ["a key of one's own", (): string => `/${"a".repeat(64)}/validate/deny`],
    [
      "a key of another cluster",
      (): string => `/clusters/test${registered("/clusters/prod").slice("/clusters/prod".length)}/validate/deny`,
    ],
    ["the key alone", (): string => registered()],
    ["a longer key", (): string => `${registered()}a/validate/deny`],
  ] as const)("%s opens nothing", ([, path]) => {
    expect(keys(start).open(path())).toBeUndefined();
  });

  test("another secret opens nothing", () => {
    expect(keys(start, "other").open(`${registered()}/validate/deny`)).toBeUndefined();
  });
});
