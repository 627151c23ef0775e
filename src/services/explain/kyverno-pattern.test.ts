import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../core/json.ts";
import { patternWords, valueWords } from "./kyverno-pattern.ts";

describe("values", () => {
  test.each<[JsonValue, string]>([
    ["?*", "not be empty"],
    ["*", "be set"],
    ["", "be empty"],
    ["false", "be `false`"],
    [false, "be false"],
    [null, "be null, 0, false or empty"],
    ["!*:latest", "not match `*:latest`"],
    ["!default", "not be `default`"],
    ["Always | Never", "be `Always` or be `Never`"],
    [">= 1Gi & <= 4Gi", "be at least 1Gi and be at most 4Gi"],
    ["1-65535", "be between 1 and 65535"],
    ["10!-20", "not be between 10 and 20"],
    ["<5", "be under 5"],
  ])("%j must %s", (value, words) => expect(valueWords(value)).toBe(words));
});

describe("patterns", () => {
  test.each<[string, JsonValue, readonly string[]]>([
    ["a field", { spec: { hostPID: false } }, ["spec.hostPID must be false"]],
    [
      "a key with dots",
      { metadata: { labels: { "app.kubernetes.io/name": "?*" } } },
      ['metadata.labels["app.kubernetes.io/name"] must not be empty'],
    ],
    ["every element", { spec: { containers: [{ image: "a/*" }] } }, ["spec.containers[*].image must match `a/*`"]],
    [
      "a condition",
      { spec: { containers: [{ "(image)": "*:latest", imagePullPolicy: "Always" }] } },
      ["where spec.containers[*].image matches `*:latest`: spec.containers[*].imagePullPolicy must be `Always`"],
    ],
    ["an equality anchor on the field itself", { "=(hostPID)": false }, ["hostPID, where set, must be false"]],
    ["an equality anchor above", { "=(a)": { b: 1 } }, ["where a is set: a.b must be 1"]],
    ["a negation", { "=(volumes)": [{ "X(hostPath)": "null" }] }, ["where volumes is set: volumes[*].hostPath must not be set"]],
    ["an existence anchor", { "^(containers)": [{ name: "istio" }] }, ["at least one of containers[*]: it.name must be `istio`"]],
    ["a global anchor", { "<(kind)": "A", b: 1 }, ["where (for the whole rule) kind is `A`: b must be 1"]],
    ["an object", { spec: {} }, ["spec must be an object"]],
  ])("%s", (_, pattern, words) => expect(patternWords(pattern)).toEqual(words));
});
