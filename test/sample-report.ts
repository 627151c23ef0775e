import type { Finding } from "../src/core/finding.ts";
import { identified } from "../src/core/fingerprint.ts";
import type { ResourceRef } from "../src/core/kubernetes.ts";
import type { Span } from "../src/core/source.ts";
import { buildReport, type Report, type ReportSource } from "../src/report/report.ts";

const head: ResourceRef = { group: "ray.io", version: "v1", kind: "RayCluster", namespace: "nlp", name: "trainer" };
const web: ResourceRef = { group: "apps", version: "v1", kind: "Deployment", namespace: "vision", name: "web" };
const node: ResourceRef = { group: "", version: "v1", kind: "Node", namespace: "", name: "gpu-1" };

function at(file: string, line: number, column: number): Span {
  return { file, start: { offset: line * 100, line, column }, end: { offset: line * 100 + 8, line, column: column + 8 } };
}

const restricted = { policy: "pod-security/restricted", title: "Pod Security Standards: restricted", category: "Pod Security" };

/** Findings of every status and severity, with text that tries to break out of each format. */
export const sampleFindings: readonly Finding[] = [
  identified({
    check: { ...restricted, rule: "runAsNonRoot", url: "https://kubernetes.io/docs/concepts/security/pod-security-standards/" },
    status: "fail",
    severity: "medium",
    resource: head,
    path: ["spec", "headGroupSpec", "template", "spec", "containers", 0],
    location: at("manifests/ray cluster.yaml", 12, 9),
    message: 'container "ray-head" must set securityContext.runAsNonRoot=true',
    evidence: { container: "ray-head", limit: 9_223_372_036_854_775_807n },
    fix: {
      description: "Set securityContext.runAsNonRoot to true.",
      edits: [
        {
          span: { ...at("manifests/ray cluster.yaml", 12, 9), end: { offset: 1200, line: 12, column: 9 } },
          text: "securityContext: {runAsNonRoot: true}\n        ",
        },
      ],
      patch: [
        { op: "add", path: "/spec/headGroupSpec/template/spec/containers/0/securityContext", value: { runAsNonRoot: true } },
      ],
    },
    controls: ["CIS:5.2.6"],
  }),
  identified({
    check: { policy: "pod-security/baseline", rule: "privileged" },
    status: "fail",
    severity: "critical",
    resource: head,
    path: ["spec", "headGroupSpec", "template", "spec", "containers", 1],
    location: at("manifests/ray cluster.yaml", 40, 11),
    message: 'container "dind" must not set securityContext.privileged=true',
    controls: [],
  }),
  identified({
    check: { policy: "kyverno.io/ClusterPolicy/disallow-latest-tag", rule: "autogen-validate-image-tag" },
    status: "fail",
    severity: "high",
    resource: web,
    path: ["spec", "template", "spec", "containers", 0, "image"],
    location: at("manifests/web.yaml", 17, 16),
    message:
      "validation error: Using a mutable image tag e.g. 'latest' is not allowed. rule autogen-validate-image-tag failed at path /spec/template/spec/containers/0/image/\nSee </script><script>alert(1)</script> | **@octocat** ::error::50%\r\n\u001b[31mred\u001b[0m ]]>",
    controls: [],
  }),
  identified({
    check: { policy: "kyverno.io/ClusterPolicy/require-labels", rule: "check-team" },
    status: "warn",
    severity: "low",
    resource: web,
    location: at("manifests/web.yaml", 1, 1),
    message: "The label `team` is required.",
    controls: [],
  }),
  identified({
    check: { policy: "kyverno.io/ClusterPolicy/limit-registries", rule: "lookup" },
    status: "error",
    severity: "medium",
    resource: web,
    location: at("manifests/web.yaml", 1, 1),
    message: "could not check: the API server's answer for /api/v1/namespaces/vision is not known offline",
    controls: [],
  }),
  identified({
    check: { policy: "lint/unknown-field", rule: "unknown-field" },
    status: "fail",
    severity: "info",
    resource: node,
    message: "节点 gpu-1 🚀: field spec.taint is not known; did you mean spec.taints?",
    controls: [],
  }),
  identified({
    check: { ...restricted, rule: "seccompProfile" },
    status: "skip",
    severity: "medium",
    resource: web,
    message: "excluded by exception web-seccomp",
    controls: [],
  }),
];

export const sampleSource: ReportSource = {
  tool: { name: "castellan", version: "0.0.0-test" },
  at: Date.UTC(2026, 10, 21, 12, 30, 15, 250),
  inputs: {
    sources: ["manifests"],
    files: 3,
    objects: 12,
    policies: ["kyverno.io/ClusterPolicy/disallow-latest-tag", "pod-security/restricted"],
    analyses: ["lint"],
  },
  findings: sampleFindings,
  counts: { pass: 31, fail: 4, warn: 1, error: 1, skip: 1 },
  diagnostics: [
    {
      code: "FILE_UNREADABLE",
      severity: "error",
      message: "manifests/secret.yaml: permission denied",
      next: "Check that it exists and that you may read it.",
      span: at("manifests/secret.yaml", 1, 1),
    },
  ],
  notes: ["1 Helm chart: not rendered; name the chart's directory to have it rendered"],
  accepted: 2,
};

export const sampleReport: Report = buildReport(sampleSource);

export const emptyReport: Report = buildReport({
  ...sampleSource,
  findings: [],
  counts: { pass: 40, fail: 0, warn: 0, error: 0, skip: 0 },
  diagnostics: [],
  notes: [],
  accepted: 0,
});
