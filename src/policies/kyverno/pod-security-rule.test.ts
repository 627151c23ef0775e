import { describe, expect, test } from "vitest";
import { runRules } from "./policy-run.testing.ts";

const match = "match: {any: [{resources: {kinds: [Pod, Deployment, CronJob, ConfigMap]}}]}";

function run(podSecurity: string, object: string) {
  const { results, diagnostics } = runRules(`- {name: pss, ${match}, validate: {podSecurity: ${podSecurity}}}`, object);
  return { result: results[0], diagnostics: diagnostics.map((d) => d.message) };
}

const pod = (spec: string, annotations = "{}") =>
  `{apiVersion: v1, kind: Pod, metadata: {name: p, annotations: ${annotations}}, spec: ${spec}}`;
const two =
  "{containers: [{name: a, image: nginx:1, securityContext: {privileged: true}}, {name: b, image: redis:1, securityContext: {privileged: true}}]}";

describe("messages name reasons and fields as Kyverno does", () => {
  test.each([
    [
      "{level: baseline, version: latest}",
      pod("{hostNetwork: true, containers: [{name: a, securityContext: {capabilities: {add: [SYS_ADMIN, NET_RAW]}}}]}"),
      "Validation rule 'pss' failed. It violates PodSecurity \"baseline:latest\": (Forbidden reason: non-default capabilities, field error list: [spec.containers[0].securityContext.capabilities.add is forbidden, forbidden values found: [NET_RAW SYS_ADMIN]])(Forbidden reason: host namespaces, field error list: [spec.hostNetwork is forbidden, forbidden values found: true])",
    ],
    [
      "{level: restricted}",
      pod(
        "{securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}, containers: [{name: a, securityContext: {capabilities: {drop: [ALL]}}}], volumes: [{name: files, nfs: {}}]}",
      ),
      "Validation rule 'pss' failed. It violates PodSecurity \"restricted:\": (Forbidden reason: allowPrivilegeEscalation != false, field error list: [spec.containers[0].securityContext.allowPrivilegeEscalation is forbidden, forbidden values found: nil])(Forbidden reason: restricted volume types, field error list: [spec.volumes[0].nfs: Forbidden])",
    ],
    [
      "{level: baseline, version: v1.24}",
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {template: {spec: {containers: [{name: a, ports: [{hostPort: 80}]}]}}}}",
      "Validation rule 'pss' failed. It violates PodSecurity \"baseline:v1.24\": (Forbidden reason: hostPort, field error list: [spec.template.spec.containers[0].ports[0].hostPort is forbidden, forbidden values found: 80])",
    ],
    [
      "{level: baseline, version: v1.24}",
      "{apiVersion: batch/v1, kind: CronJob, metadata: {name: d}, spec: {jobTemplate: {spec: {template: {spec: {hostPID: true, containers: [{name: a}]}}}}}}",
      "Validation rule 'pss' failed. It violates PodSecurity \"baseline:v1.24\": (Forbidden reason: host namespaces, field error list: [spec.jobTemplate.spec.template.spec.hostPID is forbidden, forbidden values found: true])",
    ],
    [
      "{level: baseline, version: latest}",
      pod("{containers: [{name: a, livenessProbe: {httpGet: {host: h}}}]}"),
      "Validation rule 'pss' failed. It violates PodSecurity \"baseline:latest\": (Forbidden reason: probe or lifecycle host, field error list: [])",
    ],
  ])("%s", (podSecurity, object, message) => {
    expect(run(podSecurity, object).result).toMatchObject({ status: "fail", message });
  });
});

describe("exclusions", () => {
  test.each([
    ["a control of containers, by image", `{controlName: Privileged Containers, images: ["nginx*", "redis*"]}`, pod(two), "pass"],
    ["the other container stays", `{controlName: Privileged Containers, images: ["nginx*"]}`, pod(two), "fail"],
    [
      "a value",
      `{controlName: Capabilities, images: ["*"], restrictedField: "spec.containers[*].securityContext.capabilities.add", values: [SYS_*]}`,
      pod("{containers: [{name: a, image: x, securityContext: {capabilities: {add: [SYS_ADMIN]}}}]}"),
      "pass",
    ],
    [
      "not the value",
      `{controlName: Capabilities, images: ["*"], restrictedField: "spec.containers[*].securityContext.capabilities.add", values: [NET_*]}`,
      pod("{containers: [{name: a, image: x, securityContext: {capabilities: {add: [SYS_ADMIN]}}}]}"),
      "fail",
    ],
    [
      "a control of pods",
      "{controlName: Host Namespaces}",
      pod("{hostPID: true, hostIPC: true, containers: [{name: a}]}"),
      "pass",
    ],
    [
      "one field of a control",
      `{controlName: Host Namespaces, restrictedField: spec.hostPID, values: ["true"]}`,
      pod("{hostPID: true, hostIPC: true, containers: [{name: a}]}"),
      "fail",
    ],
  ])("%s", (_, exclusion, object, status) => {
    expect(run(`{level: baseline, version: latest, exclude: [${exclusion}]}`, object).result?.status).toBe(status);
  });

  test("what is left is named", () => {
    const { result } = run(`{level: baseline, exclude: [{controlName: Privileged Containers, images: ["nginx*"]}]}`, pod(two));
    expect(result?.message).toContain(
      "[spec.containers[1].securityContext.privileged is forbidden, forbidden values found: true]",
    );
    expect(result?.locate?.()).toEqual(["spec", "containers", 1, "securityContext", "privileged"]);
    expect(result?.fix?.patch).toEqual([{ op: "replace", path: "/spec/containers/1/securityContext/privileged", value: false }]);
  });
});

describe("what cannot be judged is an error", () => {
  test.each([
    ["{level: strict}", pod(two), "must be privileged, baseline or restricted"],
    ["{level: baseline, version: 1.24.1}", pod(two), 'must be "latest" or "v1.x"'],
    ["{level: baseline, exclude: [{controlName: Sysctl}]}", pod(two), '"Sysctl" is no control'],
    ["{level: baseline, exclude: [{controlName: Capabilities}]}", pod(two), "images must be given"],
    ["{level: baseline, exclude: [{controlName: Volume Types}]}", pod(two), "no control of the level baseline"],
    ["{level: baseline}", "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}", "could not find correct resource type"],
    [
      "{level: baseline}",
      pod("{containers: [{name: a, securityContext: {privileged: 'true'}}]}"),
      "spec.containers[0].securityContext.privileged must be a boolean",
    ],
  ])("%s %s", (podSecurity, object, text) => {
    const { result } = run(podSecurity, object);
    expect(result?.status).toBe("error");
    expect(result?.message).toContain(text);
  });
});

test("the level privileged makes every check, and a warning says so", () => {
  const { result, diagnostics } = run("{level: privileged, version: latest}", pod(two));
  expect(result?.message).toContain("Forbidden reason: runAsNonRoot != true");
  expect(diagnostics.join()).toContain("Kyverno makes every check at this level");
});
