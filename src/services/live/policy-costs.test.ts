import { expect, test } from "vitest";
import { loadKubernetesSchemas } from "../../adapters/files/catalog.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { compilePolicies } from "../policies.ts";
import { scannedObjects } from "../scanned-objects.ts";
import { PolicyCosts } from "./policy-costs.ts";

const resources = loadKubernetesSchemas().resources();
const policy = (name: string, kind: string) => `
{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ${name}}, spec: {rules: [
  {name: r, match: {any: [{resources: {kinds: [${kind}]}}]}, validate: {message: m, pattern: {metadata: {name: "?*"}}}}]}}
---`;
const documentsOf = (text: string) => parseDocuments(text, "x.yaml").documents;
const { policies } = compilePolicies(documentsOf(policy("services", "Service") + policy("secrets", "Secret")), resources).set;
const { objects } = scannedObjects(
  documentsOf("{apiVersion: v1, kind: Service, metadata: {name: s, namespace: n}}"),
  "default",
  resources,
);
const [service] = objects;

/** Judges `times` Services where the n-th judgement takes n milliseconds; how many there were, and the costs. */
function measured(times: number) {
  let clock = 0;
  let judged = 0;
  const costs = new PolicyCosts(() => clock);
  for (let i = 0; i < times; i++)
    costs.sample(policies, service === undefined ? [] : [service], () => {
      clock += ++judged;
    });
  return { judged, costs: policies.map((one) => costs.costOf(one)) };
}

test.each([
  { objects: 0, judged: 0, microseconds: undefined, samples: undefined },
  { objects: 1, judged: 1, microseconds: 1000, samples: 1 },
  { objects: 5, judged: 5, microseconds: 3000, samples: 5 },
  // From the twentieth on only each fiftieth object; the first samples make room for them.
  { objects: 50, judged: 21, microseconds: 12_000, samples: 20 },
  { objects: 1000, judged: 40, microseconds: 31_000, samples: 20 },
])("of $objects objects $judged are measured", ({ objects: times, judged, microseconds, samples }) => {
  const told = measured(times);
  expect(told.judged).toBe(judged);
  expect(told.costs).toEqual([samples === undefined ? undefined : { microseconds, samples }, undefined]);
});
