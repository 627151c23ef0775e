import { expect, test } from "vitest";
import { compileRegex } from "../../../core/regex.ts";
import { globSource } from "./glob.ts";

test.each<[string, string, boolean]>([
  ["ghcr.io/*", "ghcr.io/a/b:1", true],
  ["ghcr.io/**", "ghcr.io/a/b:1", true],
  ["ghcr.io/*/foo", "ghcr.io/kyverno/kyverno", false],
  ["ghcr.io/a?c", "ghcr.io/abc", true],
  ["ghcr.io/a?c", "ghcr.io/ac", false],
  ["*.io/{app,web}:*", "ghcr.io/web:1", true],
  ["*.io/{app,web}:*", "ghcr.io/api:1", false],
  ["app:[0-9]", "app:7", true],
  ["app:[!0-9]", "app:7", false],
  ["a.b", "aXb", false],
  ["a\\*", "a*", true],
  ["a\\*", "ab", false],
])("%s on %s: %s", (glob, text, fits) => {
  const read = globSource(glob);
  const regex = read.ok ? compileRegex(read.source) : read;
  expect(regex.ok && regex.value.test(text)).toBe(fits);
});

test.each(["a[", "{a,b", "[]"])("%s is none", (glob) => {
  expect(globSource(glob).ok).toBe(false);
});
