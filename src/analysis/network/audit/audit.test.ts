import { describe, expect, test } from "vitest";
import type { ComponentCatalogue } from "../catalogue/component.ts";
import { networkOf } from "../network.testing.ts";
import { auditNetwork } from "./audit.ts";
import { proofOfFix, proveFixes, withFix } from "./proof.ts";

const components: ComponentCatalogue = {
  roles: new Map([["vector-db", "holds embeddings"]]),
  components: [
    {
      name: "qdrant",
      title: "Qdrant",
      role: "vector-db",
      labels: [[{ key: "app", values: ["qdrant"] }]],
      images: [],
      ports: [],
      random: false,
      from: [],
      to: [],
      source: "test",
      checked: true,
    },
  ],
  domains: new Map(),
};

const deployment = (namespace: string, name: string, port = 8080) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: ${namespace} }
spec: { selector: { matchLabels: { app: ${name} } }, template: { metadata: { labels: { app: ${name} } }, spec: { containers: [{ name: c, ports: [{ containerPort: ${port} }] }] } } }
---
`;
const policy = (namespace: string, name: string, spec: string) => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${spec}
---
`;
const service = (namespace: string, name: string, spec: string) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${spec}
---
`;
const web = "podSelector: {matchLabels: {app: web}}";
const two = deployment("a", "web") + deployment("a", "client");

interface Case {
  readonly name: string;
  readonly text: string;
  readonly says: readonly string[];
}

const cases: readonly Case[] = [
  { name: "no policy at all: nothing to judge", text: two, says: [] },
  {
    name: "what no policy selects",
    text: two + policy("a", "p", `{${web}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}`),
    says: ["network/no-default-deny ingress-and-egress Namespace a", "network/redundant vacuous NetworkPolicy p"],
  },
  {
    name: "a rule without ports",
    text: two + policy("a", "p", `{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: client}}}]}]}`),
    says: ["network/all-ports ingress NetworkPolicy p", "network/no-default-deny egress Namespace a"],
  },
  {
    name: "a default deny without a way out",
    text: two + policy("a", "p", "{podSelector: {}, policyTypes: [Ingress, Egress]}"),
    says: ["network/blocked-egress nothing-allowed NetworkPolicy p"],
  },
  {
    name: "egress without names",
    text:
      two +
      policy(
        "a",
        "p",
        "{podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{ipBlock: {cidr: 10.1.0.0/16}}], ports: [{port: 443}]}]}",
      ),
    says: ["network/missing-dns no-name-server NetworkPolicy p"],
  },
  {
    name: "egress with names",
    text:
      two +
      policy(
        "a",
        "p",
        "{podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{ipBlock: {cidr: 10.1.0.0/16}}], ports: [{port: 443}]}, {ports: [{port: 53, protocol: UDP}]}]}",
      ),
    says: [],
  },
  {
    name: "a peer that is in another namespace",
    text:
      two +
      deployment("monitoring", "prometheus") +
      policy(
        "a",
        "p",
        `{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: prometheus}}}], ports: [{port: 8080}]}]}`,
      ),
    says: [
      "network/unreachable-peer other-namespace NetworkPolicy p",
      "network/no-default-deny egress Namespace a",
      "network/no-default-deny ingress-and-egress Namespace monitoring",
    ],
  },
  {
    name: "a policy that selects nothing",
    text:
      two +
      policy("a", "all", "{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}") +
      policy("a", "p", "{podSelector: {matchLabels: {app: wbe}}}"),
    says: ["network/selects-nothing policy NetworkPolicy p", "network/redundant vacuous NetworkPolicy all"],
  },
  {
    name: "a policy of a namespace that nothing is in",
    text:
      two +
      policy("a", "all", "{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{ports: [{port: 1}]}], egress: [{}]}") +
      policy("aa", "p", "{podSelector: {}, policyTypes: [Ingress]}"),
    says: ["network/selects-nothing namespace NetworkPolicy p"],
  },
  {
    name: "the port of a Service",
    text:
      two +
      service("a", "web", "{selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}") +
      policy(
        "a",
        "p",
        `{podSelector: {}, policyTypes: [Ingress, Egress], egress: [{}], ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: 80}]}]}`,
      ),
    says: ["network/service-port port NetworkPolicy p"],
  },
  {
    name: "the endpoint that hands out credentials",
    text:
      two + policy("a", "p", "{podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}"),
    says: ["network/metadata-endpoint ip-block NetworkPolicy p"],
  },
  {
    name: "ingress allowed, egress not",
    text:
      two +
      policy(
        "a",
        "in",
        `{${web}, policyTypes: [Ingress, Egress], egress: [{}], ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: 8080}]}]}`,
      ) +
      policy(
        "a",
        "out",
        "{podSelector: {matchLabels: {app: client}}, policyTypes: [Ingress, Egress], egress: [{ports: [{port: 53, protocol: UDP}]}]}",
      ),
    says: ["network/one-sided egress NetworkPolicy in"],
  },
  {
    name: "a policy that changes nothing",
    text:
      two +
      policy("a", "all", "{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}") +
      policy("a", "p", `{${web}, ingress: [{ports: [{port: 8080}]}]}`),
    says: ["network/redundant policy NetworkPolicy p"],
  },
  {
    name: "a rule that another one holds",
    text:
      two +
      policy(
        "a",
        "p",
        `{podSelector: {}, policyTypes: [Ingress, Egress], egress: [{}], ingress: [{from: [{podSelector: {}}], ports: [{port: 8080}]}, {from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: 8080}]}]}`,
      ),
    says: ["network/redundant rule NetworkPolicy p"],
  },
  {
    name: "a vector database behind a load balancer",
    text:
      deployment("a", "qdrant", 6333) + service("a", "q", "{type: LoadBalancer, selector: {app: qdrant}, ports: [{port: 6333}]}"),
    says: ["network/exposed-data-store loadbalancer Service q"],
  },
  {
    name: "a load balancer that is kept private",
    text:
      deployment("a", "qdrant", 6333) +
      service("a", "q", "{type: LoadBalancer, selector: {app: qdrant}, ports: [{port: 6333}]}").replace(
        "namespace: a }",
        "namespace: a, annotations: { networking.gke.io/load-balancer-type: Internal } }",
      ),
    says: [],
  },
];

const described = (text: string) => {
  const network = networkOf(text, { cni: "generic" });
  const findings = auditNetwork(network, components);
  return {
    network,
    findings,
    says: findings.map((f) => `${f.check.policy} ${f.check.rule} ${f.resource.kind} ${f.resource.name}`),
  };
};

describe("the audit", () => {
  test.each(cases)("$name", ({ text, says }) => {
    expect([...described(text).says].sort()).toEqual([...says].sort());
  });

  test.each(cases.filter((c) => c.says.length > 0))("fixes of: $name", ({ text }) => {
    const { network, findings } = described(text);
    for (const finding of findings) {
      const after = withFix(network, finding);
      if (after === undefined) continue;
      expect(after.diagnostics).toEqual([]);
      expect(auditNetwork(after, components).map((f) => f.id)).not.toContain(finding.id);
      expect(proofOfFix(network, finding)).toBeDefined();
    }
  });

  test("the evidence says what a fix opens and closes", () => {
    const { network, findings } = described(cases.find((c) => c.name === "a rule without ports")?.text ?? "");
    const proven = proveFixes(network, findings).find((f) => f.check.policy === "network/all-ports");
    expect(proven?.evidence?.["fixOpens"]).toEqual([]);
    expect(proven?.evidence?.["fixCloses"]).toEqual([
      "a/client[Deployment] -> a/web[Deployment]: TCP 1-8079,8081-65535; UDP; SCTP",
    ]);
  });

  test("a fix that restricts opens nothing, one that allows closes nothing", () => {
    const proof = (name: string, check: string) => {
      const { network, findings } = described(cases.find((c) => c.name === name)?.text ?? "");
      const finding = findings.find((f) => f.check.policy === check);
      if (finding === undefined) throw new Error(`${check} was not found`);
      return proofOfFix(network, finding)?.changes ?? [];
    };
    for (const [name, check] of [
      ["a rule without ports", "network/all-ports"],
      ["what no policy selects", "network/no-default-deny"],
      ["the endpoint that hands out credentials", "network/metadata-endpoint"],
    ] as const) {
      const changes = proof(name, check);
      expect(changes.length).toBeGreaterThan(0);
      expect(changes.every((c) => c.gained.isEmpty)).toBe(true);
    }
    const opened = proof("ingress allowed, egress not", "network/one-sided");
    expect(opened.map((c) => `${c.gained}`)).toEqual(["TCP 8080"]);
  });
});
