import { describe, expect, test } from "vitest";
import type { Action, Operation } from "../../core/action.ts";
import { gvkOf, type KubernetesObject, nameOf } from "../../core/kubernetes.ts";
import { admit } from "./admission.ts";
import { defaultConfiguration, type PodSecurityConfiguration } from "./configuration.ts";

type Labels = { readonly [key: string]: string };

interface Request {
  readonly object: KubernetesObject;
  readonly old?: KubernetesObject;
  readonly labels?: Labels;
  readonly operation?: Operation;
  readonly subresource?: string;
  readonly user?: string;
}

function action({ object, old, labels, operation, subresource = "", user }: Request): Action {
  return {
    channel: "admission",
    actor: user === undefined ? undefined : { user, groups: [] },
    operation: operation ?? (old === undefined ? "CREATE" : "UPDATE"),
    dryRun: false,
    target: { type: "kubernetes", ...gvkOf(object), resource: "", subresource, namespace: "ns", name: nameOf(object) },
    object,
    oldObject: old,
    namespaceLabels: labels,
    at: 0,
  };
}

const labelled = (labels: Labels): Labels =>
  Object.fromEntries(Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value]));

const pod = (spec: object, name = "p"): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { ...spec },
});
const plain = pod({ containers: [{ name: "a", image: "x" }] });
const privileged = pod({ containers: [{ name: "a", image: "x", securityContext: { privileged: true } }] });
const deployment: KubernetesObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  spec: { template: { spec: privileged["spec"] ?? null } },
};
const reason = 'privileged (container "a" must not set securityContext.privileged=true)';
const quiet = { allowed: true, message: undefined, warnings: [], auditAnnotations: {} };

describe("pods", () => {
  test.each([
    [
      "no labels: nothing is demanded",
      { object: privileged },
      { ...quiet, auditAnnotations: { "enforce-policy": "privileged:latest" } },
    ],
    [
      "enforce refuses",
      { object: privileged, labels: labelled({ enforce: "baseline" }) },
      {
        allowed: false,
        message: `violates PodSecurity "baseline:latest": ${reason}`,
        warnings: [],
        auditAnnotations: { "enforce-policy": "baseline:latest" },
      },
    ],
    [
      "warn warns, audit notes",
      { object: privileged, labels: labelled({ warn: "baseline", "warn-version": "v1.25", audit: "baseline" }) },
      {
        allowed: true,
        message: undefined,
        warnings: [`would violate PodSecurity "baseline:v1.25": ${reason}`],
        auditAnnotations: {
          "enforce-policy": "privileged:latest",
          "audit-violations": `would violate PodSecurity "baseline:latest": ${reason}`,
        },
      },
    ],
    [
      "an unreadable level is restricted",
      { object: privileged, labels: labelled({ enforce: "strict", "enforce-version": "v1.7" }) },
      {
        allowed: false,
        message: `violates PodSecurity "restricted:v1.7": ${reason}, runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)`,
        warnings: [],
        auditAnnotations: {
          "enforce-policy": "restricted:v1.7",
          error:
            'Failed to parse policy: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted',
        },
      },
    ],
    [
      "an update that changes no image",
      { object: privileged, old: privileged, labels: labelled({ enforce: "baseline" }) },
      quiet,
    ],
    ["a new status", { object: privileged, old: plain, subresource: "status", labels: labelled({ enforce: "baseline" }) }, quiet],
    ["a deletion", { object: privileged, operation: "DELETE", labels: labelled({ enforce: "baseline" }) }, quiet],
  ] satisfies readonly (readonly [string, Request, object])[])("%s", (_, request, expected) => {
    expect(admit(action(request), defaultConfiguration)).toEqual(expected);
  });

  test.each([
    ["an image", pod({ containers: [{ name: "a", image: "y", securityContext: { privileged: true } }] })],
    ["an ephemeral container", pod({ ...(privileged["spec"] as object), ephemeralContainers: [{ name: "e", image: "x" }] })],
  ])("an update of %s is judged", (_, object) => {
    expect(
      admit(action({ object, old: privileged, labels: labelled({ enforce: "baseline" }) }), defaultConfiguration).allowed,
    ).toBe(false);
  });
});

describe("what makes pods is warned about, never refused", () => {
  test("an enforced level warns", () => {
    const answer = admit(action({ object: deployment, labels: labelled({ enforce: "baseline" }) }), defaultConfiguration);
    expect(answer).toEqual({ ...quiet, warnings: [`would violate PodSecurity "baseline:latest": ${reason}`] });
  });
  test("unless the namespace warns about less", () => {
    const answer = admit(
      action({ object: deployment, labels: labelled({ enforce: "baseline", warn: "privileged" }) }),
      defaultConfiguration,
    );
    expect(answer).toEqual(quiet);
  });
  test("other kinds are not looked at", () => {
    const object = { ...deployment, apiVersion: "ray.io/v1", kind: "RayCluster" };
    expect(admit(action({ object, labels: labelled({ enforce: "restricted" }) }), defaultConfiguration)).toEqual(quiet);
  });
});

describe("exemptions", () => {
  const configuration: PodSecurityConfiguration = {
    ...defaultConfiguration,
    exemptions: { usernames: ["root"], namespaces: ["ns"], runtimeClasses: ["kata"] },
  };
  const only = (field: keyof PodSecurityConfiguration["exemptions"]): PodSecurityConfiguration => ({
    ...configuration,
    exemptions: { ...defaultConfiguration.exemptions, [field]: configuration.exemptions[field] },
  });
  const kata = pod({ runtimeClassName: "kata", containers: [{ name: "a", image: "x", securityContext: { privileged: true } }] });
  test.each([
    ["namespace", only("namespaces"), { object: privileged }],
    ["user", only("usernames"), { object: privileged, user: "root" }],
    ["runtimeClass", only("runtimeClasses"), { object: kata }],
  ] as const)("by %s", (exempt, config, request) => {
    const answer = admit(action({ ...request, labels: labelled({ enforce: "baseline" }) }), config);
    expect(answer).toEqual({ ...quiet, auditAnnotations: { exempt } });
  });
});

describe("namespaces", () => {
  const namespace = (labels: Labels, name = "ns"): KubernetesObject => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: labelled(labels) },
  });
  test("labels that cannot be read are refused", () => {
    const answer = admit(action({ object: namespace({ enforce: "high", "warn-version": "1.25" }) }), defaultConfiguration);
    expect(answer).toMatchObject({
      allowed: false,
      message:
        '[metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "high": must be one of privileged, baseline, restricted, metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.25": must be "latest" or "v1.x"]',
    });
  });
  test("unless they were so before", () => {
    const bad = namespace({ enforce: "high" });
    expect(admit(action({ object: bad, old: bad }), defaultConfiguration).allowed).toBe(true);
  });
  const owned = (name: string, uid: string): KubernetesObject => ({
    ...privileged,
    metadata: { name, ownerReferences: [{ uid, controller: true }] },
  });
  test("pods that break a raised level are named", () => {
    const pods = [owned("b", "1"), owned("a", "1"), pod({ hostPID: true, containers: [] }, "c"), plain];
    const answer = admit(action({ object: namespace({ enforce: "baseline" }), old: namespace({}) }), defaultConfiguration, pods);
    expect(answer.warnings).toEqual([
      'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
      "a (and 1 other pod): privileged",
      "c: host namespaces",
    ]);
  });
  test.each([
    ["the same level", { enforce: "baseline" }, { enforce: "baseline" }],
    ["a lower level", { enforce: "baseline" }, { enforce: "restricted" }],
    ["only a warning", { warn: "restricted" }, {}],
  ] satisfies readonly (readonly [string, Labels, Labels])[])("%s is silent", (_, now, before) => {
    const answer = admit(action({ object: namespace(now), old: namespace(before) }), defaultConfiguration, [privileged]);
    expect(answer).toEqual(quiet);
  });
  test("labels of an exempt namespace do nothing, and it says so", () => {
    const configuration = { ...defaultConfiguration, exemptions: { ...defaultConfiguration.exemptions, namespaces: ["ns"] } };
    const answer = admit(action({ object: namespace({ enforce: "baseline", warn: "restricted" }) }), configuration);
    expect(answer.warnings).toEqual([
      'namespace "ns" is exempt from Pod Security, and the policy (enforce=baseline:latest, warn=restricted:latest) will be ignored',
    ]);
  });
});
