import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadKubernetesSchemas, loadWorkloadCatalogue } from "../src/adapters/files/catalog.ts";
import { loadPaths } from "../src/adapters/files/load-paths.ts";
import { noFacts } from "../src/core/facts.ts";
import type { Finding } from "../src/core/finding.ts";
import { gvkOf, isKubernetesObject, type KubernetesObject, labelsOf, nameOf, namespaceOf } from "../src/core/kubernetes.ts";
import type { SourceDocument } from "../src/core/source.ts";
import { evaluate, PolicySet, toFinding } from "../src/engine/index.ts";
import { podSecurityPolicies } from "../src/policies/pod-security/index.ts";
import { conformanceRoot } from "./conformance/corpora.ts";

const root = conformanceRoot();
const policies = new PolicySet(podSecurityPolicies({ catalogue: loadWorkloadCatalogue() }));
const resources = loadKubernetesSchemas().resources();

async function judge(
  path: string,
): Promise<{ readonly objects: readonly KubernetesObject[]; readonly findings: readonly Finding[] }> {
  const { documents } = await loadPaths([join(root, path)]);
  const objects = documents.filter((d): d is SourceDocument<KubernetesObject> => isKubernetesObject(d.value));
  const namespaces = new Map(
    objects.filter((d) => d.value.kind === "Namespace").map((d) => [nameOf(d.value), labelsOf(d.value)]),
  );
  const findings = objects.flatMap((document) => {
    const object = document.value;
    const namespace = namespaceOf(object);
    const evaluation = evaluate(
      policies,
      {
        channel: "scan",
        actor: undefined,
        operation: "CREATE",
        dryRun: false,
        target: { type: "kubernetes", ...gvkOf(object), resource: "", subresource: "", namespace, name: nameOf(object) },
        object,
        namespaceLabels: namespaces.get(namespace),
        at: 0,
      },
      noFacts("files hold no facts"),
      { now: () => 0, random: () => 0 },
      { resources },
    );
    if (evaluation.kind === "pending") throw new Error("Pod Security needs no facts");
    return evaluation.decision.results.map((result) => toFinding(result, object, document));
  });
  return { objects: objects.map((d) => d.value), findings };
}

const workloadKinds = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"];

describe.skipIf(!existsSync(join(root, "bundles")))("a platform whose namespaces enforce restricted", async () => {
  const { objects, findings } = await judge("bundles/kubeflow-26.x-full-platform.yaml");
  const restricted = new Set(
    objects.filter((o) => labelsOf(o)["pod-security.kubernetes.io/enforce"] === "restricted").map((o) => nameOf(o)),
  );
  const workloads = objects.filter((o) => workloadKinds.includes(o.kind) && restricted.has(namespaceOf(o)));
  test("has 48 workloads there, and no finding about them", () => {
    expect(workloads).toHaveLength(48);
    const names = new Set(workloads.map((o) => `${o.kind} ${namespaceOf(o)} ${nameOf(o)}`));
    const about = findings.filter((f) => names.has(`${f.resource.kind} ${f.resource.namespace} ${f.resource.name}`));
    expect(about).toEqual([]);
  });
});

describe.skipIf(!existsSync(join(root, "real-manifests")))("public manifests of AI platforms", async () => {
  const { findings } = await judge("real-manifests");
  const failing = findings.filter((f) => f.status === "fail");
  test.each(["ray.io", "serving.kserve.io", "batch.volcano.sh", "extensions.agents.x-k8s.io", "trainer.kubeflow.org"])(
    "have findings in %s",
    (group) => expect(failing.some((f) => f.resource.group === group)).toBe(true),
  );
  test("have a place for every finding", () => {
    expect(findings.filter((f) => f.location === undefined)).toEqual([]);
  });
  test("have ids that tell findings of one object apart", () => {
    const byFile = Map.groupBy(
      failing,
      (f) => `${f.location?.file} ${f.resource.kind} ${f.resource.name} ${f.location?.start.offset} ${f.check.rule}`,
    );
    const clashes = [...byFile.values()].filter(
      (group) => new Set(group.map((f) => f.id)).size < new Set(group.map((f) => f.path?.join("/"))).size,
    );
    expect(clashes).toEqual([]);
  });
});
