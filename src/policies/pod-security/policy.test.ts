import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { Action } from "../../core/action.ts";
import { apiResources } from "../../core/api-resources.ts";
import { noFacts } from "../../core/facts.ts";
import { applyJsonPatch } from "../../core/json-patch.ts";
import { gvkOf, isKubernetesObject, type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import { parseWorkloadCatalogue } from "../../core/workload/parse-catalogue.ts";
import { Budget } from "../budget.ts";
import type { CompiledPolicy, RuleResult } from "../policy.ts";
import { nearestLevel } from "./pod-security-policy.ts";
import { type PodSecurityOptions, podSecurityPolicies, podSecurityPolicy } from "./policy.ts";

const parsed = parseWorkloadCatalogue(parse(readFileSync(new URL("../../../catalog/workloads.yaml", import.meta.url), "utf8")));
if (!parsed.ok) throw new Error(parsed.diagnostics[0]?.message);
const options: PodSecurityOptions = { catalogue: parsed.value };

type Named = RuleResult & { readonly policy: string; readonly rule: string };

function judge(policies: readonly CompiledPolicy[], object: KubernetesObject, rest: Partial<Action> = {}): readonly Named[] {
  const action: Action = {
    channel: "scan",
    actor: undefined,
    operation: "CREATE",
    dryRun: false,
    target: {
      type: "kubernetes",
      ...gvkOf(object),
      resource: "",
      subresource: "",
      namespace: namespaceOf(object),
      name: nameOf(object),
    },
    object,
    at: 0,
    ...rest,
  };
  const facts = noFacts("none");
  const host = { now: () => 0, random: () => 0 };
  const context = {
    action,
    object,
    oldObject: action.oldObject,
    facts,
    host,
    budget: new Budget(1000),
    resources: apiResources([]),
  };
  return policies.flatMap((policy) =>
    policy.rules
      .filter((rule) => rule.selectors.some((s) => s.kind === "*" || s.kind === object.kind))
      .flatMap((rule) => rule.evaluate(context).map((result) => ({ policy: policy.id.name, rule: rule.name, ...result }))),
  );
}

function object(text: string): KubernetesObject {
  const value: unknown = parse(text);
  if (!isKubernetesObject(value as KubernetesObject)) throw new Error("no object");
  return value as KubernetesObject;
}

const told = (results: readonly Named[]) =>
  results
    .filter((r) => r.status !== "pass")
    .map((r) => `${r.status} ${r.severity ?? ""} ${r.policy}/${r.rule} ${r.locate?.()?.join(".") ?? ""}`);

const both = podSecurityPolicies(options);
const safe =
  "allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}";
const podWith = (spec: string) => object(`{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns}, spec: ${spec}}`);

describe("both levels, where namespaces say nothing", () => {
  test.each([
    ["a compliant pod", podWith(`{containers: [{name: a, securityContext: {${safe}}}]}`), []],
    [
      "baseline is high or critical, restricted medium",
      podWith(`{hostPID: true, containers: [{name: a, ports: [{hostPort: 1}], securityContext: {${safe}, runAsUser: 0}}]}`),
      [
        "fail critical baseline/hostNamespaces spec.hostPID",
        "fail high baseline/hostPorts spec.containers.0.ports.0.hostPort",
        "fail medium restricted/runAsUser spec.containers.0.securityContext.runAsUser",
      ],
    ],
    [
      "a restricted check does not repeat what a baseline check says",
      podWith(
        "{volumes: [{name: h, hostPath: {path: /}}], containers: [{name: a, securityContext: {allowPrivilegeEscalation: false, runAsNonRoot: true, seccompProfile: {type: Unconfined}, capabilities: {add: [SYS_ADMIN, CHOWN]}}}]}",
      ),
      [
        "fail high baseline/capabilities_baseline spec.containers.0.securityContext.capabilities.add",
        "fail critical baseline/hostPathVolumes spec.volumes.0.hostPath",
        "fail high baseline/seccompProfile_baseline spec.containers.0.securityContext.seccompProfile.type",
        "fail medium restricted/capabilities_restricted spec.containers.0.securityContext.capabilities.drop",
      ],
    ],
    [
      "each pod of an object has its own",
      object(
        `{apiVersion: ray.io/v1, kind: RayCluster, spec: {headGroupSpec: {template: {spec: {containers: [{name: h, securityContext: {${safe}, privileged: true}}]}}}, workerGroupSpecs: [{template: {spec: {hostIPC: true, containers: [{name: w, securityContext: {${safe}, privileged: true}}]}}}]}}`,
      ),
      [
        "fail critical baseline/hostNamespaces spec.workerGroupSpecs.0.template.spec.hostIPC",
        "fail critical baseline/privileged spec.headGroupSpec.template.spec.containers.0.securityContext.privileged",
        "fail critical baseline/privileged spec.workerGroupSpecs.0.template.spec.containers.0.securityContext.privileged",
      ],
    ],
    [
      "what another fills in is not known",
      object(
        "{apiVersion: serving.kserve.io/v1beta1, kind: InferenceService, spec: {predictor: {model: {securityContext: {runAsNonRoot: false}}}}}",
      ),
      [
        "skip  restricted/allowPrivilegeEscalation ",
        "skip  restricted/capabilities_restricted ",
        "fail medium restricted/runAsNonRoot spec.predictor.model.securityContext.runAsNonRoot",
        "skip  restricted/seccompProfile_restricted ",
      ],
    ],
    [
      "a field of a wrong type is not checked",
      podWith("{containers: [{name: a, securityContext: {privileged: 'true'}}]}"),
      ["error  baseline/readable spec.containers.0.securityContext.privileged"],
    ],
  ])("%s", (_, subject, expected) => {
    expect(told(judge(both, subject))).toEqual(expected);
  });

  test("a finding in a kind that nobody knows says how it was found", () => {
    const subject = object(
      `{apiVersion: example.org/v1, kind: Thing, spec: {pod: {hostPID: true, containers: [{name: a, image: x, securityContext: {${safe}}}]}}}`,
    );
    const [result] = judge(both, subject).filter((r) => r.status === "fail");
    expect(result?.message).toBe(
      "host namespaces (hostPID=true) (found by its structure: Thing is no kind that the catalogue knows)",
    );
    expect(result?.evidence).toMatchObject({ foundBy: "structure", pod: "spec.pod", standard: "baseline:latest" });
  });
});

describe("where a namespace enforces a level", () => {
  const subject = podWith(
    "{hostPID: true, containers: [{name: a, securityContext: {allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: {drop: [ALL], add: [NET_RAW]}}}]}",
  );
  const labels = (text: string) =>
    Object.fromEntries(
      text.split(" ").map((pair) => [`pod-security.kubernetes.io/${pair.split("=")[0]}`, pair.split("=")[1] ?? ""]),
    );
  test.each([
    [
      "enforce=restricted",
      [
        "fail critical baseline/hostNamespaces spec.hostPID",
        "fail high restricted/capabilities_restricted spec.containers.0.securityContext.capabilities.add",
        "fail high restricted/seccompProfile_restricted spec.containers.0.securityContext.seccompProfile.type",
      ],
    ],
    [
      "enforce=baseline warn=restricted",
      [
        "fail high baseline/capabilities_baseline spec.containers.0.securityContext.capabilities.add",
        "fail critical baseline/hostNamespaces spec.hostPID",
        "warn medium restricted/capabilities_restricted spec.containers.0.securityContext.capabilities.add",
        "warn medium restricted/seccompProfile_restricted spec.containers.0.securityContext.seccompProfile.type",
      ],
    ],
    [
      "enforce=privileged",
      ["skip  baseline/capabilities_baseline ", "skip  baseline/hostNamespaces ", "skip  restricted/seccompProfile_restricted "],
    ],
    [
      "enforce=restricted enforce-version=v1.18",
      [
        "fail high baseline/capabilities_baseline spec.containers.0.securityContext.capabilities.add",
        "fail critical baseline/hostNamespaces spec.hostPID",
        "skip  restricted/seccompProfile_restricted ",
      ],
    ],
  ])("%s", (text, expected) => {
    expect(told(judge(both, subject, { namespaceLabels: labels(text) }))).toEqual(expected);
  });

  test("templates that belong to no namespace are not bound by it", () => {
    const runtime = object(
      "{apiVersion: serving.kserve.io/v1alpha1, kind: ClusterServingRuntime, metadata: {name: r, namespace: ns}, spec: {hostPID: true, containers: []}}",
    );
    expect(told(judge(both, runtime, { namespaceLabels: labels("enforce=privileged") }))).toEqual([
      "fail critical baseline/hostNamespaces spec.hostPID",
    ]);
  });
});

describe("one level everywhere", () => {
  const bare = podWith("{containers: [{name: a}]}");
  test.each([
    [
      "restricted",
      "latest",
      ["allowPrivilegeEscalation", "capabilities_restricted", "runAsNonRoot", "seccompProfile_restricted"],
    ],
    ["restricted", 20, ["allowPrivilegeEscalation", "runAsNonRoot", "seccompProfile_restricted"]],
    ["baseline", "latest", []],
  ] as const)("%s:%s", (level, version, rules) => {
    const policy = podSecurityPolicy(level, { ...options, version });
    const ignored = { namespaceLabels: { "pod-security.kubernetes.io/enforce": "privileged" } };
    expect(
      judge([policy], bare, ignored)
        .filter((r) => r.status === "fail")
        .map((r) => r.rule),
    ).toEqual(rules);
  });

  test("exempt namespaces and runtime classes are skipped", () => {
    const exemptions = { usernames: [], namespaces: ["ns"], runtimeClasses: ["kata"] };
    const policy = podSecurityPolicy("restricted", { ...options, exemptions });
    expect(
      new Set(
        judge([policy], bare)
          .filter((r) => r.status !== "pass")
          .map((r) => r.status),
      ),
    ).toEqual(new Set(["skip"]));
  });

  test("at admission what makes pods is warned about", () => {
    const policy = podSecurityPolicy("baseline", options);
    const job = object("{apiVersion: batch/v1, kind: Job, spec: {template: {spec: {hostPID: true, containers: []}}}}");
    expect(told(judge([policy], job, { channel: "admission" }))).toEqual([
      "warn critical baseline/hostNamespaces spec.template.spec.hostPID",
    ]);
  });
});

describe("fixes", () => {
  const subjects: readonly (readonly [string, KubernetesObject])[] = [
    ["a bare pod", podWith("{containers: [{name: a}, {name: b, securityContext: {runAsNonRoot: false}}]}")],
    [
      "a Ray cluster",
      object(
        "{apiVersion: ray.io/v1, kind: RayCluster, spec: {headGroupSpec: {template: {spec: {securityContext: null, containers: [{name: h, securityContext: {privileged: true, procMount: Unmasked}, ports: [{hostPort: 1}]}]}}}}}",
      ),
    ],
    [
      "a Spark driver",
      object(
        "{apiVersion: sparkoperator.k8s.io/v1beta2, kind: SparkApplication, spec: {driver: {}, executor: {podSecurityContext: {seccompProfile: {type: Unconfined}}}}}",
      ),
    ],
    [
      "a workflow",
      object(
        "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, spec: {hostNetwork: true, templates: [{name: t, container: {image: x}, sidecars: [{name: s, image: y}]}]}}",
      ),
    ],
  ];
  test.each(subjects)("one after the other put right %s", (_, subject) => {
    let current = subject;
    for (let round = 0; round < 12; round++) {
      const failing = judge(both, current).find((r) => r.status === "fail");
      if (failing === undefined) return;
      const result = applyJsonPatch(current, failing.fix?.patch ?? []);
      if (!result.ok || !isKubernetesObject(result.value)) throw new Error(`${failing.rule}: the patch does not apply`);
      expect(told(judge(both, result.value))).not.toContain(told([failing])[0]);
      current = result.value;
    }
    expect(told(judge(both, current))).toEqual([]);
  });

  test("what a person has to decide has advice only", () => {
    const [result] = judge(
      both,
      podWith(`{volumes: [{name: h, hostPath: {path: /}}], containers: [{name: a, securityContext: {${safe}}}]}`),
    ).filter((r) => r.status === "fail");
    expect(result?.fix).toEqual({ description: expect.stringContaining("persistent volume claim") });
  });
});

describe("a PodSecurityPolicy is named the nearest level", () => {
  const confined = {
    "seccomp.security.alpha.kubernetes.io/allowedProfileNames": "runtime/default",
    "apparmor.security.beta.kubernetes.io/allowedProfileNames": "runtime/default,",
  };
  const restricted = {
    privileged: false,
    allowPrivilegeEscalation: false,
    requiredDropCapabilities: ["ALL"],
    volumes: ["configMap", "secret"],
    runAsUser: { rule: "MustRunAsNonRoot" },
    seLinux: { rule: "RunAsAny" },
  };
  test.each([
    ["restricted", restricted, confined, ["seLinux"]],
    [
      "restricted",
      { ...restricted, seLinux: { rule: "MustRunAs" } },
      {},
      ["apparmor.security.beta.kubernetes.io/allowedProfileNames", "seccomp.security.alpha.kubernetes.io/allowedProfileNames"],
    ],
    ["baseline", { ...restricted, runAsUser: { rule: "RunAsAny" } }, confined, ["seLinux"]],
    ["baseline", { ...restricted, volumes: ["configMap", "nfs"] }, confined, ["seLinux"]],
    ["privileged", { ...restricted, volumes: ["*"] }, confined, []],
    ["privileged", { ...restricted, allowedCapabilities: ["SYS_ADMIN"] }, confined, []],
    ["privileged", { ...restricted, hostPorts: [{ min: 0, max: 1 }] }, confined, []],
  ])("%s", (level, spec, annotations, stricterIn) => {
    expect(nearestLevel(spec, annotations)).toEqual({ level, stricterIn });
  });

  test("as a finding", () => {
    const [result] = judge(
      both,
      object("{apiVersion: policy/v1beta1, kind: PodSecurityPolicy, metadata: {name: p}, spec: {privileged: true}}"),
    );
    expect(result?.message).toBe(
      "PodSecurityPolicy was removed in Kubernetes 1.25, and nothing of it is enforced. The nearest Pod Security Standard is privileged.",
    );
  });
});
