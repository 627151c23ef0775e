import { describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../../adapters/files/catalog.ts";
import { type JsonValue, member } from "../../core/json.ts";
import { reviewPolicy } from "./policy-review.ts";

const schemas = loadKubernetesSchemas();
const about = { resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }] };
const specs = {
  ValidatingPolicy: { validations: [{ expression: "true" }] },
  NamespacedValidatingPolicy: { validations: [{ expression: "true" }] },
  MutatingPolicy: { mutations: [{ patchType: "JSONPatch", jsonPatch: { expression: "[JSONPatch{op: 'remove', path: '/a'}]" } }] },
  GeneratingPolicy: { generate: [{ expression: "generator.Apply('a', [])" }] },
  DeletingPolicy: { schedule: "* * * * *" },
} as const;
const kinds = Object.keys(specs) as (keyof typeof specs)[];

/** What the API server is told about a policy that somebody stores. */
function told(kind: keyof typeof specs, matchConstraints: JsonValue | undefined): string {
  const answer = reviewPolicy(
    {
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      request: {
        uid: "1",
        operation: "CREATE",
        kind: { group: "policies.kyverno.io", version: "v1", kind },
        resource: { group: "policies.kyverno.io", version: "v1", resource: `${kind.toLowerCase().slice(0, -1)}ies` },
        name: "p",
        object: {
          apiVersion: "policies.kyverno.io/v1",
          kind,
          metadata: { name: "p", ...(kind.startsWith("Namespaced") ? { namespace: "shop" } : {}) },
          spec: { ...specs[kind], ...(matchConstraints === undefined ? {} : { matchConstraints }) },
        },
      },
    },
    schemas,
    0,
  );
  const response = member(answer, "response");
  return member(response, "allowed") === true ? "stored" : String(member(member(response, "status"), "message"));
}

describe.each(kinds)("a %s", (kind) => {
  test("that says what it is about is stored", () => {
    expect(told(kind, about)).toBe("stored");
  });

  test.each([
    ["nothing", undefined],
    ["no rules", {}],
    ["an empty list of rules", { resourceRules: [] }],
  ])("that says %s of what it is about is refused, as by Kyverno", (_, constraints) => {
    expect(told(kind, constraints)).toContain("spec.matchConstraints: at least one resource rule is required");
  });
});

test("of a policy about JSON nothing is required", () => {
  const answer = reviewPolicy(
    {
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      request: {
        uid: "1",
        operation: "CREATE",
        kind: { group: "policies.kyverno.io", version: "v1", kind: "ValidatingPolicy" },
        resource: { group: "policies.kyverno.io", version: "v1", resource: "validatingpolicies" },
        object: {
          apiVersion: "policies.kyverno.io/v1",
          kind: "ValidatingPolicy",
          metadata: { name: "p" },
          spec: { evaluation: { mode: "JSON" }, validations: [{ expression: "object.n > 1" }] },
        },
      },
    },
    schemas,
    0,
  );
  expect(member(member(answer, "response"), "allowed")).toBe(true);
});
