import { describe, expect, test } from "vitest";
import { apiResources } from "../../core/api-resources.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { compilePolicies } from "../policies.ts";
import { PolicyGroups } from "./policy-groups.ts";

const policy = (name: string, spec: string) =>
  `apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: ${name}}\nspec: {${spec} rules: ` +
  "[{name: a, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {deny: {}}}]}\n";
const usual = policy("usual", "");
const quick = policy("quick", "webhookTimeoutSeconds: 3,");
const lenient = policy("lenient", "failurePolicy: Ignore,");
const silent = policy("silent", "admission: false,");

function groups(policies: readonly string[], usualSeconds?: number): PolicyGroups {
  const { set } = compilePolicies(parseDocuments(policies.join("---\n"), "policies.yaml").documents, apiResources([]));
  return new PolicyGroups(set.policies, usualSeconds);
}

describe("policies are asked", () => {
  test.each<[string, readonly string[], "deny" | "allow", string | undefined, readonly string[]]>([
    ["by what their errors mean", [usual, lenient], "deny", undefined, ["usual"]],
    ["where errors are forgiven", [usual, lenient], "allow", undefined, ["lenient"]],
    ["by their timeout", [usual, quick], "deny", "3", ["quick"]],
    ["at the usual path without it", [usual, quick], "deny", undefined, ["usual"]],
    ["at the usual path with it, which another default had registered", [usual, quick], "deny", "10", ["usual"]],
    ["all at a path whose policies have moved on", [usual, quick], "deny", "5", ["usual", "quick"]],
    ["all at the usual path where none is usual any more", [quick], "deny", undefined, ["quick"]],
    ["none of another meaning at such a path", [usual], "allow", "5", []],
    ["only where they judge at admission", [usual, silent], "deny", undefined, ["usual"]],
  ])("%s", (_, policies, onError, timeout, names) => {
    const asked = groups(policies).at(onError, timeout);
    expect(asked.policies.map(({ id }) => id.name)).toEqual(names);
  });

  test("with another default, which some of them say", () => {
    const told = groups([usual, quick, lenient], 3).groups.map(({ onError, timeoutSeconds, isUsual, policies }) => {
      return [onError, timeoutSeconds, isUsual, policies.policies.map(({ id }) => id.name).join()];
    });
    expect(told).toEqual([
      ["deny", 3, true, "usual,quick"],
      ["allow", 3, true, "lenient"],
    ]);
  });
});
