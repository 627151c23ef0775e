import fc from "fast-check";
import type { JsonObject, JsonValue } from "../../../core/json.ts";

const namespaces = ["a", "b"];
const apps = ["x", "y", "z"];

/** Deployments with one or two labels, declared ports on some. */
const deployment = fc.record({
  namespace: fc.constantFrom(...namespaces),
  app: fc.constantFrom(...apps),
  tier: fc.constantFrom(undefined, "front", "back"),
  ports: fc.uniqueArray(fc.constantFrom(80, 443, 5432), { maxLength: 2 }),
});

export const deployments = fc.uniqueArray(deployment, {
  minLength: 2,
  maxLength: 6,
  selector: (d) => `${d.namespace}${d.app}${d.tier}`,
});

export function deploymentObjects(
  list: readonly (typeof deployments extends fc.Arbitrary<(infer T)[]> ? T : never)[],
): readonly JsonObject[] {
  return list.map(({ namespace, app, tier, ports }, i) => {
    const labels: JsonObject = { app, ...(tier === undefined ? {} : { tier }) };
    const container = { name: "c", image: "i", ports: ports.map((containerPort) => ({ containerPort })) };
    const template = { metadata: { labels }, spec: { containers: [container] } };
    const metadata = { name: `${app}-${tier ?? "none"}-${i}`, namespace };
    return { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { selector: { matchLabels: labels }, template } };
  });
}

const selector = fc.oneof(
  fc.constant<JsonObject>({}),
  fc.constantFrom(...apps).map((app): JsonObject => ({ matchLabels: { app } })),
  fc.constantFrom("front", "back").map((tier): JsonObject => ({ matchLabels: { tier } })),
);

const peer: fc.Arbitrary<JsonObject> = fc.oneof(
  selector.map((podSelector): JsonObject => ({ podSelector })),
  fc
    .constantFrom(...namespaces)
    .map((name): JsonObject => ({ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } })),
  fc.constantFrom("0.0.0.0/0", "10.0.0.0/8").map((cidr): JsonObject => ({ ipBlock: { cidr } })),
);

const ports = fc.array(
  fc.constantFrom<JsonValue>({ port: 80 }, { port: 443 }, { protocol: "UDP", port: 53 }, { port: 1000, endPort: 2000 }),
  { minLength: 1, maxLength: 2 },
);

const rule = (side: "from" | "to"): fc.Arbitrary<JsonObject> =>
  fc
    .record({ peers: fc.option(fc.array(peer, { minLength: 1, maxLength: 3 })), ports: fc.option(ports) })
    .map(({ peers, ports: list }) => ({
      ...(peers === null ? {} : { [side]: peers }),
      ...(list === null ? {} : { ports: list }),
    }));

const policy = fc.record({
  namespace: fc.constantFrom(...namespaces),
  podSelector: selector,
  ingress: fc.option(fc.array(rule("from"), { minLength: 1, maxLength: 3 })),
  egress: fc.option(fc.array(rule("to"), { minLength: 1, maxLength: 3 })),
});

/** NetworkPolicies with rules in at least one direction. */
export const policyObjects: fc.Arbitrary<readonly JsonObject[]> = fc.array(policy, { maxLength: 5 }).map((list) =>
  list
    .filter(({ ingress, egress }) => ingress !== null || egress !== null)
    .map(({ namespace, podSelector, ingress, egress }, i) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: `p${i}`, namespace },
      spec: {
        podSelector,
        policyTypes: [...(ingress === null ? [] : ["Ingress"]), ...(egress === null ? [] : ["Egress"])],
        ...(ingress === null ? {} : { ingress }),
        ...(egress === null ? {} : { egress }),
      },
    })),
);
