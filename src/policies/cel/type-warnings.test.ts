import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { kubernetesSchemas } from "../../core/schema.ts";
import { typeWarnings } from "./type-warnings.ts";

const catalog = readFileSync(new URL("../../../catalog/kubernetes/v1.36.json", import.meta.url), "utf8");
const resources = kubernetesSchemas(JSON.parse(catalog)).resources();

const deployments = { resourceRules: [{ apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments", "statefulsets"] }] };

describe("what does not fit its kind", () => {
  test.each<[string, string, readonly string[]]>([
    ["a field that is there", "object.spec.replicas > 1", []],
    [
      "one that is not",
      "object.spec.replica > 1",
      [
        "apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'replica'",
        "apps/v1, Kind=StatefulSet: ERROR: <input>:1:12: undefined field 'replica'",
      ],
    ],
    [
      "one that only one kind has",
      "object.spec.strategy.type == ''",
      ["apps/v1, Kind=StatefulSet: ERROR: <input>:1:12: undefined field 'strategy'"],
    ],
    [
      "a value of another type",
      "object.metadata.name == 1",
      ["Deployment", "StatefulSet"].map(
        (kind) => `apps/v1, Kind=${kind}: ERROR: <input>:1:22: found no matching overload for '_==_' applied to '(string, int)'`,
      ),
    ],
    ["a variable", "variables.count > 1", []],
  ])("%s", (_, expression, expected) => {
    const spec = {
      matchConstraints: deployments,
      variables: [{ name: "count", expression: "object.spec.replicas" }],
      validations: [{ expression }],
    };
    const said = typeWarnings(spec, resources).flatMap(({ message }) =>
      message.split("\n").filter((line) => line.startsWith("apps/")),
    );
    expect(said).toEqual(expected);
  });

  test("rules with wildcards name no kind", () => {
    const spec = {
      matchConstraints: { resourceRules: [{ apiGroups: ["*"], apiVersions: ["v1"], resources: ["deployments"] }] },
      validations: [{ expression: "object.nothing" }],
    };
    expect(typeWarnings(spec, resources)).toEqual([]);
  });
});
