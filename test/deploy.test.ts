import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { definitions, definitionsTemplate } from "../scripts/custom-resources.ts";
import { deployed, renderChart, replicated, withGateway, withoutHelm } from "./chart.ts";
import { runCli } from "./run-cli.ts";

const manifests = join(deployed, "castellan.yaml");

describe("our own manifests, by our own checks", () => {
  test("are found wanting in one thing: who installs them pins the image", async () => {
    const { out, err } = await runCli(["scan", manifests, "-o", "json", "--fail-on", "never"]);
    expect(err).toBe("");
    const report = JSON.parse(out);
    const bad = report.findings.filter((finding: { severity: string }) => !["low", "info"].includes(finding.severity));
    expect(bad.map((finding: { check: { policy: string } }) => finding.check.policy)).toEqual([
      "policies.kyverno.io/ValidatingPolicy/image-digest",
    ]);
    expect(report.summary?.objects ?? report.inputs?.objects).toBeGreaterThan(9);
  });

  const user = "system:serviceaccount:castellan:castellan";
  test.each([
    { question: ["list", "pods", "-A"], allowed: true },
    { question: ["watch", "clusterpolicies.kyverno.io"], allowed: true },
    { question: ["watch", "guardrails.castellan.dev"], allowed: true },
    { question: ["patch", "accessrules.castellan.dev"], allowed: false },
    { question: ["patch", "validatingwebhookconfigurations.admissionregistration.k8s.io/castellan"], allowed: true },
    { question: ["patch", "policyreports.wgpolicyk8s.io", "-n", "nlp"], allowed: true },
    { question: ["get", "secrets", "-n", "castellan"], allowed: false },
    { question: ["create", "validatingwebhookconfigurations.admissionregistration.k8s.io"], allowed: false },
    { question: ["patch", "validatingwebhookconfigurations.admissionregistration.k8s.io/other"], allowed: false },
    { question: ["patch", "deployments.apps", "-n", "nlp"], allowed: false },
    { question: ["create", "pods", "--subresource", "exec", "-n", "nlp"], allowed: false },
    { question: ["impersonate", "users"], allowed: false },
  ])("may $question: $allowed", async ({ question, allowed }) => {
    const { code, out } = await runCli(["rbac", "can-i", ...question, "--as", user, "-f", manifests]);
    expect([out.split("\n")[0], code]).toEqual(allowed ? ["yes", 0] : ["no", 1]);
  });
});

describe("the definitions of our own kinds", () => {
  test("are written from their schemas: node scripts/custom-resources.ts", () => {
    const template = readFileSync(join(deployed, "helm/castellan/templates/definitions.yaml"), "utf8");
    expect(template).toBe(definitionsTemplate());
    const plain = readFileSync(manifests, "utf8");
    for (const definition of definitions()) expect(plain).toContain(definition);
  });
});

describe.skipIf(withoutHelm !== undefined)("the Helm chart", () => {
  test("gives the gateway the role of the plain manifests, and no more", () => {
    const role = (text: string) =>
      /name: castellan-gateway\n(?: {2}labels:\n(?: {4}.*\n)+)?rules:\n([\s\S]*?)\n---/.exec(text)?.[1];
    const plain = role(readFileSync(join(deployed, "gateway-roles.yaml"), "utf8"));
    expect(plain).toContain("impersonate:user-info");
    expect(role(renderChart("--set", withGateway))).toBe(plain);
  });

  test("has the API server show a certificate where a Secret names its authority", () => {
    const text = renderChart("--set", "webhook.clientCaSecret=webhook-clients,webhook.clientNames={kube-apiserver}");
    expect(text).toContain("--webhook-client-ca=/etc/castellan/webhook-clients/ca.crt");
    expect(text).toContain("--webhook-client-name=kube-apiserver");
    expect(text).toContain("secretName: webhook-clients");
    expect(renderChart()).not.toContain("webhook-client");
  });

  test("governs the clusters that are registered in a Secret, and says how they call", () => {
    const text = renderChart("--set", "clusters.secret=registered,webhook.url=https://castellan.example.com");
    expect(text).toContain("--clusters=/etc/castellan/clusters/clusters.yaml");
    expect(text).toContain("- {name: clusters, mountPath: /etc/castellan/clusters, readOnly: true}");
    expect(text).toContain("secret: {secretName: registered, defaultMode: 0440}");
    expect(text).toContain("--webhook-url=https://castellan.example.com");
    expect(renderChart()).not.toMatch(/--clusters|--webhook-url/);
  });

  test("says how long requests wait for policies, where that is not as usual", () => {
    expect(renderChart("--set", "webhook.timeoutSeconds=5")).toContain("- --webhook-timeout=5\n");
    expect(renderChart()).not.toContain("--webhook-timeout");
  });

  test("keeps records for as long as its value says, else for ever", () => {
    expect(renderChart("--set", "retention=365d")).toContain("- --retain=365d\n");
    expect(renderChart()).not.toContain("--retain");
  });

  test("refuses replicas that would each have keys of their own", () => {
    expect(() => renderChart("--set", "replicas=2")).toThrow("several replicas share a PostgreSQL");
  });

  test("gives no right to write elsewhere but those of roles that are named by their labels", () => {
    expect(renderChart()).not.toContain("castellan-downstream");
    const text = renderChart("--set-json", 'downstream.roleLabels=["castellan.dev/aggregate-to-downstream"]');
    expect(text).toMatch(/name: castellan-downstream\n[\s\S]*?castellan.dev\/aggregate-to-downstream: "true" }\nrules: \[\]\n/);
  });

  test("is what the plain manifests hold", () => {
    expect(readFileSync(manifests, "utf8")).toContain(renderChart());
  });

  test.each([
    ["database.urlSecret=db"],
    ["readSecrets=true"],
    ["webhook.enabled=false"],
    ["policiesConfigMap=policies"],
    ["definitions.install=false"],
    [`${withGateway},gateway.tlsSecret=tls,access.configMap=access`],
    [`${replicated},identities.configMap=who`],
  ])("renders with %s", (value) => {
    expect(renderChart("--set", value)).toContain("kind: StatefulSet");
  });
});
