import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { asString, isArray, type JsonValue, member, toDotted, valueAt } from "../json.ts";
import { isKubernetesObject, type KubernetesObject } from "../kubernetes.ts";
import { type FoundPod, findPodSpecs } from "./find.ts";
import { parseWorkloadCatalogue } from "./parse-catalogue.ts";

function read(path: string): JsonValue {
  return parse(readFileSync(new URL(path, import.meta.url), "utf8"));
}

const parsed = parseWorkloadCatalogue(read("../../../catalog/workloads.yaml"));
if (!parsed.ok) throw new Error(parsed.diagnostics[0]?.message);
const catalogue = parsed.value;

function containers(pod: FoundPod): readonly { readonly name: string; readonly path: string }[] {
  return ["initContainers", "containers", "ephemeralContainers"].flatMap((list) => {
    const items = member(pod.spec, list);
    return isArray(items)
      ? items.map((item, i) => ({
          name: asString(member(item, "name")) ?? "",
          path: toDotted(pod.locate(["spec", list, i])),
        }))
      : [];
  });
}

function describePod(pod: FoundPod): string {
  const notes = [
    ...(pod.how === "structural" ? ["[structural]"] : []),
    ...(pod.completedBy === undefined ? [] : [`[completed by ${pod.completedBy}]`]),
  ];
  const names = containers(pod).map((c) => c.name);
  return `${[pod.role, toDotted(pod.path), ...notes].join(" ")}: ${names.join(" ")}`;
}

function object(value: JsonValue | undefined): KubernetesObject {
  if (!isKubernetesObject(value)) throw new Error("not an object");
  return value;
}

const cases = read("./find.cases.yaml");
if (!isArray(cases)) throw new Error("cases must be a list");

describe("pods of every kind", () => {
  test.each(cases.map((c, i) => [`${i}: ${asString(valueAt(c, ["object", "kind"]))}`, c] as const))("%s", (_, c) => {
    const subject = object(member(c, "object"));
    const { pods, truncated } = findPodSpecs(subject, catalogue);
    expect(pods.map(describePod)).toEqual(member(c, "pods"));
    expect(truncated).toBe(false);
    for (const { path } of pods.flatMap(containers)) {
      expect(path.startsWith("spec") || path.startsWith("template") || path.startsWith("data") || path.startsWith("items")).toBe(
        true,
      );
    }
  });
});

function only(value: JsonValue): FoundPod {
  const [pod, ...rest] = findPodSpecs(object(value), catalogue).pods;
  if (pod === undefined || rest.length > 0) throw new Error("one pod expected");
  return pod;
}

describe("pods put together from parts", () => {
  const workflow = only({
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Workflow",
    spec: {
      hostNetwork: true,
      securityContext: { runAsNonRoot: true },
      podMetadata: { annotations: { a: "all", b: "all" } },
      volumes: [{ name: "shared" }],
      templates: [
        {
          name: "t",
          container: { image: "x" },
          sidecars: [{ name: "s" }],
          volumes: [{ name: "own" }],
          metadata: { annotations: { a: "own" } },
        },
      ],
    },
  });
  test("hold what the workflow and the template say", () => {
    expect(workflow.spec).toEqual({
      containers: [{ name: "main", image: "x" }, { name: "s" }],
      volumes: [{ name: "own" }, { name: "shared" }],
      securityContext: { runAsNonRoot: true },
      hostNetwork: true,
    });
    expect(workflow.metadata).toEqual({ annotations: { a: "own", b: "all" } });
  });
  test.each([
    [["spec", "containers", 0, "image"], "spec.templates[0].container.image"],
    [["spec", "containers", 1], "spec.templates[0].sidecars[0]"],
    [["spec", "volumes", 1, "hostPath"], "spec.volumes[0].hostPath"],
    [["spec", "securityContext", "runAsNonRoot"], "spec.securityContext.runAsNonRoot"],
    [["spec", "hostPID"], "spec.templates[0].hostPID"],
    [["metadata", "annotations", "a"], "spec.templates[0].metadata.annotations.a"],
    [["metadata", "annotations", "b"], "spec.podMetadata.annotations.b"],
  ])("%j stands at %s", (path, expected) => {
    expect(toDotted(workflow.locate(path))).toBe(expected);
  });

  test("an absent part stands where it would be written", () => {
    const pod = only({
      apiVersion: "sparkoperator.k8s.io/v1beta2",
      kind: "SparkApplication",
      spec: { driver: { image: { repository: "spark", tag: "4" } } },
    });
    expect(toDotted(pod.locate(["spec", "securityContext", "runAsNonRoot"]))).toBe("spec.driver.podSecurityContext.runAsNonRoot");
    expect(toDotted(pod.locate(["spec", "containers", 0, "securityContext"]))).toBe("spec.driver.securityContext");
  });
  test.each([
    ["512m", "512Mi"],
    ["2g", "2Gi"],
    ["1GB", "1Gi"],
    ["800", "800Mi"],
    [undefined, "1Gi"],
    ["{{ memory }}", "{{ memory }}"],
  ])("a JVM of %s may take %s", (memory, limit) => {
    const pod = only({
      apiVersion: "sparkoperator.k8s.io/v1beta2",
      kind: "SparkApplication",
      spec: { driver: memory === undefined ? {} : { memory } },
    });
    expect(valueAt(pod.spec, ["containers", 0, "resources", "limits", "memory"])).toBe(limit);
    expect(toDotted(pod.locate(["spec", "containers", 0, "resources", "limits", "memory"]))).toBe("spec.driver.memory");
  });
  test("executors of Spark run as its driver does, unless they say", () => {
    const accounts = (executor: JsonValue) => {
      const spec = { driver: { serviceAccount: "spark" }, executor };
      const subject = object({ apiVersion: "sparkoperator.k8s.io/v1beta2", kind: "SparkApplication", spec });
      return findPodSpecs(subject, catalogue).pods.map((pod) => pod.spec["serviceAccountName"]);
    };
    expect(accounts({})).toEqual(["spark", "spark"]);
    expect(accounts({ serviceAccount: "worker" })).toEqual(["spark", "worker"]);
  });
  test("a split image becomes text, and fields make volumes", () => {
    const pod = only({
      apiVersion: "apps.nvidia.com/v1alpha1",
      kind: "NIMService",
      spec: { image: { repository: "nvcr.io/nim", tag: "1" }, storage: { hostPath: "/models" }, userID: 0 },
    });
    expect(valueAt(pod.spec, ["containers", 0, "image"])).toBe("nvcr.io/nim:1");
    expect(valueAt(pod.spec, ["volumes", 0, "hostPath", "path"])).toBe("/models");
    expect(toDotted(pod.locate(["spec", "volumes", 0, "hostPath", "path"]))).toBe("spec.storage.hostPath");
    expect(toDotted(pod.locate(["spec", "securityContext", "runAsUser"]))).toBe("spec.userID");
  });
  test("a found template's metadata counts, catalogued or not", () => {
    const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "x" }] } };
    for (const kind of ["agents.x-k8s.io/v1", "example.org/v1"]) {
      const pod = only({ apiVersion: kind, kind: "Sandbox", spec: { podTemplate: template } });
      expect(pod.metadata).toEqual({ labels: { a: "b" } });
      expect(toDotted(pod.locate(["metadata", "labels", "a"]))).toBe("spec.podTemplate.metadata.labels.a");
      expect(toDotted(pod.locate(["spec", "hostPID"]))).toBe("spec.podTemplate.spec.hostPID");
    }
  });
});

test("an unknown object too large to be looked through says so", () => {
  const spec = { rows: Array.from({ length: 60_000 }, () => ({})) };
  expect(findPodSpecs({ apiVersion: "example.org/v1", kind: "Huge", spec }, catalogue)).toEqual({ pods: [], truncated: true });
});

test("objects nested without end are cut off", () => {
  let inner: JsonValue = { apiVersion: "v1", kind: "Pod", spec: { containers: [] } };
  for (let i = 0; i < 10; i++) inner = { apiVersion: "v1", kind: "List", items: [inner] };
  expect(findPodSpecs(object(inner), catalogue)).toEqual({ pods: [], truncated: true });
});

describe("the finder never throws", () => {
  const known = [...catalogue.kinds.keys(), "example.org/Unknown"];
  const field = fc.constantFrom(
    ...[
      "spec",
      "template",
      "containers",
      "predictor",
      "model",
      "headGroupSpec",
      "workerGroupSpecs",
      "templates",
      "container",
      "metadata",
    ],
    ...["labels", "annotations", "image", "steps", "volumes", "tasks", "__proto__", "objects", "items", "apiVersion", "kind"],
  );
  const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom<JsonValue>("v1", "Pod", "List", null, true, 0, ""),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(field, tie("value"), { maxKeys: 4 }),
    ),
  }));
  test("whatever an object holds, and every place it names is in the object", () => {
    fc.assert(
      fc.property(fc.constantFrom(...known), fc.dictionary(field, value, { maxKeys: 4 }), (key, members) => {
        const slash = key.indexOf("/");
        const subject = { ...members, apiVersion: slash === 0 ? "v1" : `${key.slice(0, slash)}/v1`, kind: key.slice(slash + 1) };
        for (const pod of findPodSpecs(subject, catalogue).pods) expect(valueAt(subject, pod.path)).toBeDefined();
      }),
      { numRuns: 2000 },
    );
  });
});
