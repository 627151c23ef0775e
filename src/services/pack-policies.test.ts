import { describe, expect, test } from "vitest";
import { loadKubernetesSchemas, loadWorkloadCatalogue } from "../adapters/files/catalog.ts";
import { loadDefaultPacks } from "../adapters/files/packs.ts";
import type { Finding } from "../core/finding.ts";
import { toDotted } from "../core/json.ts";
import { annotationsOf, isKubernetesObject } from "../core/kubernetes.ts";
import { parseDocuments } from "../core/yaml/parse-documents.ts";
import { packPolicies } from "./pack-policies.ts";
import { compilePolicies } from "./policies.ts";
import { scan } from "./scan.ts";

const schemas = loadKubernetesSchemas();
const packs = loadDefaultPacks();

async function findingsOf(text: string, exceptions = ""): Promise<readonly Finding[]> {
  const { findings } = await scan({
    documents: parseDocuments(text, "objects.yaml").documents,
    policies: undefined,
    packs: () => packs,
    exceptions: parseDocuments(exceptions, "exceptions.yaml").documents,
    checks: new Set(["policies"]),
    namespace: "default",
    complete: false,
    workloads: "autogen",
    schemas,
    catalogue: loadWorkloadCatalogue,
    defaultRbac: () => {
      throw new Error("nobody asks for roles");
    },
    host: { now: () => 0, random: () => 0 },
    passes: true,
  });
  return findings;
}

const told = (findings: readonly Finding[], policy: string) =>
  findings
    .filter((f) => f.check.policy === `policies.kyverno.io/ValidatingPolicy/${policy}`)
    .map((f) => `${f.status} ${toDotted(f.path ?? [])}`);

const pod = "{containers: [{name: a, image: a}]}";

describe("the pods of", () => {
  test.each<[string, string, readonly string[]]>([
    ["a Pod", `{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: ${pod}}`, ["fail "]],
    [
      "a Deployment",
      `{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {}, template: {spec: ${pod}}}}`,
      ["fail "],
    ],
    [
      "a patch of a Deployment",
      `{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {template: {spec: ${pod}}}}`,
      ["skip "],
    ],
    [
      "a RayCluster",
      `{apiVersion: ray.io/v1, kind: RayCluster, metadata: {name: a}, spec: {headGroupSpec: {template: {spec: ${pod}}}, workerGroupSpecs: [{template: {spec: ${pod}}}]}}`,
      ["fail spec.headGroupSpec.template", "fail spec.workerGroupSpecs[0].template"],
    ],
    [
      "a Volcano Job",
      `{apiVersion: batch.volcano.sh/v1alpha1, kind: Job, metadata: {name: a}, spec: {tasks: [{name: t, template: {spec: ${pod}}}]}}`,
      ["fail spec.tasks[0].template"],
    ],
    [
      "a Sandbox",
      `{apiVersion: agents.x-k8s.io/v1beta1, kind: Sandbox, metadata: {name: a}, spec: {podTemplate: {spec: ${pod}}}}`,
      ["fail spec.podTemplate"],
    ],
    [
      "an InferenceService, which its ServingRuntime completes",
      `{apiVersion: serving.kserve.io/v1beta1, kind: InferenceService, metadata: {name: a}, spec: {predictor: {model: {modelFormat: {name: onnx}}}}}`,
      ["skip spec.predictor"],
    ],
    [
      "a ServingRuntime, which the InferenceService completes",
      `{apiVersion: serving.kserve.io/v1alpha1, kind: ServingRuntime, metadata: {name: a}, spec: ${pod}}`,
      ["skip spec"],
    ],
    [
      "a RayCluster whose operator makes an account for the autoscaler",
      `{apiVersion: ray.io/v1, kind: RayCluster, metadata: {name: a}, spec: {enableInTreeAutoscaling: true, headGroupSpec: {template: {spec: ${pod}}}}}`,
      ["pass spec.headGroupSpec.template"],
    ],
    [
      "a RayService with such a cluster",
      `{apiVersion: ray.io/v1, kind: RayService, metadata: {name: a}, spec: {rayClusterConfig: {enableInTreeAutoscaling: true, headGroupSpec: {template: {spec: ${pod}}}}}}`,
      ["pass spec.rayClusterConfig.headGroupSpec.template"],
    ],
  ])("%s", async (_, object, expected) => {
    expect(told(await findingsOf(object), "dedicated-service-account")).toEqual(expected);
  });
});

test("a kind whose controller sets what is missing", async () => {
  const service = `{apiVersion: serving.kserve.io/v1beta1, kind: InferenceService, metadata: {name: a}, spec: {predictor: ${pod}}}`;
  const findings = await findingsOf(service);
  expect(told(findings, "memory-limits")).toEqual(["skip spec.predictor"]);
  expect(told(findings, "dedicated-service-account")).toEqual(["fail spec.predictor"]);
});

test("an exception lifts a policy of the pack", async () => {
  const object = `{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: ${pod}}`;
  const exception = `{apiVersion: policies.kyverno.io/v1, kind: PolicyException, metadata: {name: e, namespace: x}, spec: {policyRefs: [{name: memory-limits, kind: ValidatingPolicy}]}}`;
  expect(told(await findingsOf(object), "memory-limits")).toEqual(["fail "]);
  expect(told(await findingsOf(object, exception), "memory-limits")).toEqual(["skip "]);
});

test("a failure carries the controls and the remedy of its policy", async () => {
  const findings = await findingsOf(`{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: ${pod}}`);
  const finding = findings.find((f) => f.check.policy.endsWith("/dedicated-service-account"));
  expect(finding?.controls).toEqual(expect.arrayContaining(["CIS:5.1.5", "SOC2:CC6.1", "ISO27001:5.15"]));
  expect(finding?.fix?.description).toContain("serviceAccountName");
});

describe("every policy of the pack", () => {
  test("compiles without a word, and is judged by rules of the same names when it is compiled late", () => {
    const env = { resources: schemas.resources() };
    const { set, diagnostics } = compilePolicies(packs, env.resources);
    expect(diagnostics).toEqual([]);
    const shapes = (policies: typeof set.policies) =>
      policies.map(({ id, severity, controls, rules }) => ({ id, severity, controls, rules: rules.map((r) => r.name).sort() }));
    expect(shapes(packPolicies(packs, env))).toEqual(shapes(set.policies));
  });

  test("says what it checks, why, and how to put it right", () => {
    for (const { value, file } of packs) {
      if (!isKubernetesObject(value)) throw new Error(`${file} holds no object`);
      const said = Object.keys(annotationsOf(value));
      const needed = ["title", "category", "severity", "description"].map((name) => `policies.kyverno.io/${name}`);
      expect(said, file).toEqual(
        expect.arrayContaining([...needed, "castellan.dev/remedy", "castellan.dev/check", "castellan.dev/controls"]),
      );
      expect(file).toBe(`packs/ai-platform/policies/${value.metadata?.["name"]}.yaml`);
    }
  });
});
