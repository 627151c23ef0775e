import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadComponentDocument } from "../../../adapters/files/catalog.ts";
import type { JsonObject } from "../../../core/json.ts";
import { AddressSet } from "../address-set.ts";
import { parseComponents } from "../catalogue/parse-components.ts";
import { describeEndpoint } from "../describe.ts";
import { diffNetworks, equivalent } from "../diff.ts";
import { replayTraffic } from "../flows/replay.ts";
import type { Observed } from "../flows/traffic.ts";
import type { Endpoint, Network } from "../model.ts";
import { documentOf, networkOf, networkOfObjects, workload } from "../network.testing.ts";
import { suggestFromFlows } from "./from-flows.ts";
import { suggestFromIntent } from "./from-intent.ts";
import { minimisePolicies } from "./minimise.ts";
import { selectorPicker } from "./pod-selector.ts";
import { deploymentObjects, deployments, policyObjects } from "./random-cluster.testing.ts";
import { policyTargets, writePolicies } from "./write-policies.ts";

const parsed = parseComponents([loadComponentDocument()]);
if (!parsed.ok) throw new Error(parsed.diagnostics[0]?.message);
const catalogue = parsed.value;

function deploymentText(namespace: string, name: string, labels: string, extra = ""): string {
  return `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec: {selector: {matchLabels: {${labels}}}, template: {metadata: {labels: {${labels}${extra}}}, spec: {containers: [{name: c, image: i}]}}}
`;
}

describe("labels that select a workload", () => {
  const pod = (name: string, labels: string) =>
    `---\napiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: ns, labels: {${labels}}}\nspec: {containers: [{name: c, image: i}]}\n`;

  test.each([
    ["what the owner selects by", deploymentText("ns", "one", "app: a, part: b", ", version: v1"), "ns/one", "app=a,part=b", ""],
    [
      "not where a neighbour has it, too",
      deploymentText("ns", "one", "app: a", ", tier: x") + pod("two", "app: a"),
      "ns/one",
      "tier=x",
      "",
    ],
    [
      "two labels where one is not enough",
      pod("one", "app: a, tier: x") + pod("two", "app: a, tier: y") + pod("three", "app: b, tier: x"),
      "ns/one",
      "app=a,tier=x",
      "",
    ],
    ["known names first", pod("one", "zone: a, app: one") + pod("two", "zone: b, app: two"), "ns/one", "app=one", ""],
    ["twins share theirs, and it is said", pod("one", "app: a") + pod("two", "app: a"), "ns/one", "app=a", "ns/two[Pod]"],
    ["never a hash", pod("one", "pod-template-hash: x") + pod("two", "app: a"), "ns/one", undefined, undefined],
  ])("%s", (_, text, name, labels, also) => {
    const network = networkOf(text);
    const picked = selectorPicker(network)(workload(network, name));
    const shown = picked && Object.entries(picked.labels).map(([key, value]) => `${key}=${value}`);
    expect(shown?.join()).toBe(labels);
    expect(picked?.also.map((w) => w.id).join()).toBe(also);
  });
});

const observed = (from: Endpoint, to: Endpoint, port: number, rest: Partial<Observed> = {}): Observed => ({
  from,
  to,
  protocol: "TCP",
  port,
  names: new Set(),
  count: 1,
  dropped: 0,
  assumed: 0,
  first: 0,
  last: 0,
  days: new Set(),
  ...rest,
});

const withObjects = (objects: readonly JsonObject[], more: readonly JsonObject[]) => networkOfObjects([...objects, ...more]);

/** Same endpoints in another state. */
const gained = (before: Network, after: Network) =>
  diffNetworks(before, after)
    .changes.filter((c) => !c.gained.isEmpty)
    .map((c) => `${describeEndpoint(c.from)} to ${describeEndpoint(c.to)}: ${c.gained}`);

describe("policies from flows", () => {
  const flows = fc.array(fc.tuple(fc.nat(5), fc.nat(5), fc.constantFrom(80, 443, 9999)), { minLength: 1, maxLength: 8 });

  test.each(policyTargets)("%s: all that was seen still passes, and nothing passes that did not", (target) => {
    fc.assert(
      fc.property(deployments, flows, fc.boolean(), (list, pairs, defaultDeny) => {
        const objects = deploymentObjects(list);
        const before = networkOfObjects(objects);
        const at = (i: number) => before.workloads[i % before.workloads.length];
        const seen = pairs.flatMap(([i, j, port]) => {
          const [from, to] = [at(i), at(j)];
          return from === undefined || to === undefined || from === to ? [] : [observed(from, to, port)];
        });
        const { plans } = suggestFromFlows(seen, before, catalogue, { defaultDeny });
        const after = withObjects(objects, writePolicies(plans, target).objects as readonly JsonObject[]);
        expect(after.diagnostics.map((d) => d.message)).toEqual([]);
        expect(
          replayTraffic({ observed: seen }, after).denied.map((d) => [d.explanation.egress.text, d.explanation.ingress.text]),
        ).toEqual([]);
        expect(gained(before, after)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  const shop =
    deploymentText("shop", "web", "app: web") +
    deploymentText("shop", "db", "app: db") +
    deploymentText("shop", "job", "app: job");
  const network = networkOf(shop);
  const [web, db] = [workload(network, "shop/web"), workload(network, "shop/db")];
  const world: Endpoint = { kind: "external", addresses: AddressSet.parse("203.0.113.7/32") ?? AddressSet.none };

  test("what was seen once, assumed, or dropped is told apart", () => {
    const { plans } = suggestFromFlows(
      [
        observed(web, db, 5432, { count: 40, days: new Set([20_000, 20_001, 20_002, 20_003]) }),
        observed(web, world, 443, { count: 5, assumed: 5 }),
        observed(web, db, 22, { count: 3, dropped: 3 }),
      ],
      network,
      catalogue,
    );
    const allows = plans.find((p) => p.name === "web")?.allows ?? [];
    expect(allows.map((a) => [a.peer.kind, a.ports?.map((p) => p.from), a.evidence?.confidence])).toEqual([
      ["pods", [5432], "high"],
      ["cidrs", [443], "low"],
      ["pods", [53, 53], undefined],
    ]);
  });

  test("who was not seen is not isolated, and named", () => {
    const { unseen, plans } = suggestFromFlows([observed(web, db, 5432)], network, catalogue);
    expect(unseen.map((w) => w.id)).toEqual(["shop/job[Deployment]"]);
    expect(plans.map((p) => p.name)).toEqual(["db", "web"]);
  });

  test("many undeclared ports become a range", () => {
    const seen = [40_001, 40_007, 41_000, 42_000, 45_000].map((port) => observed(web, db, port));
    const { plans, notes } = suggestFromFlows(seen, network, catalogue);
    expect(plans.find((p) => p.name === "db")?.allows[0]?.ports).toEqual([{ protocol: "TCP", from: 40_001, to: 45_000 }]);
    expect(notes.join()).toContain("5 ports that it does not declare");
  });

  test("ICMP opens no port", () => {
    const { plans } = suggestFromFlows([observed(web, db, 0, { protocol: "ICMP" })], network, catalogue);
    expect(plans.flatMap((p) => p.allows).filter((a) => a.why === "observed")).toEqual([]);
  });

  test("names are names where the format knows them, addresses and a note where not", () => {
    const seen = [observed(web, world, 443, { names: new Set(["huggingface.co"]) })];
    const { plans } = suggestFromFlows(seen, network, catalogue);
    const cilium = JSON.stringify(writePolicies(plans, "cilium").objects);
    expect(cilium).toContain('"toFQDNs":[{"matchName":"huggingface.co"}]');
    expect(cilium).toContain('"rules":{"dns":[{"matchPattern":"*"}]}');
    const plain = writePolicies(plans, "networkpolicy");
    expect(JSON.stringify(plain.objects)).toContain('"cidr":"203.0.113.7/32"');
    expect(plain.notes.join()).toContain("knows no names");
  });
});

describe("policies from intent", () => {
  const platform =
    deploymentText("ai", "gateway", "app: gateway") +
    deploymentText("ai", "llm-service", "app: llm-service") +
    deploymentText("ai", "vector-db", "app: vector-db") +
    deploymentText("ai", "billing", "app: billing");
  const network = networkOf(platform);
  const suggestion = suggestFromIntent(network, catalogue);
  const { objects } = writePolicies(suggestion.plans, "networkpolicy");
  const after = networkOf(platform);
  for (const object of objects) after.put(documentOf(object));
  const can = (from: string, to: string) => !after.between(workload(after, from), workload(after, to)).connections.isEmpty;

  test.each([
    ["ai/gateway", "ai/llm-service", true],
    ["ai/llm-service", "ai/vector-db", true],
    ["ai/gateway", "ai/vector-db", false],
    ["ai/billing", "ai/vector-db", false],
    ["ai/billing", "ai/llm-service", false],
    ["ai/vector-db", "ai/llm-service", false],
    ["ai/llm-service", "ai/gateway", false],
  ])("%s to %s: %s", (from, to, expected) => expect(can(from, to)).toBe(expected));

  test("default deny comes first, and who is unknown is named", () => {
    expect(suggestion.steps[0]?.plans.map((p) => [p.name, p.subject, p.allows])).toEqual([["default-deny", {}, []]]);
    expect(suggestion.unknown.map((w) => w.id)).toEqual(["ai/billing[Deployment]"]);
    expect(suggestion.namespaces).toEqual(["ai"]);
  });

  test("a Ray cluster talks to itself on all ports, not to another one", () => {
    const part = (cluster: string, type: string) =>
      deploymentText("ml", `${cluster}-${type}`, `ray.io/cluster: ${cluster}, ray.io/node-type: ${type}`);
    const text = part("one", "head") + part("one", "worker") + part("two", "head");
    const { plans } = suggestFromIntent(networkOf(text), catalogue);
    const ray = networkOf(text);
    for (const object of writePolicies(plans, "networkpolicy").objects) ray.put(documentOf(object));
    const between = (from: string, to: string) => ray.between(workload(ray, from), workload(ray, to)).connections;
    expect(between("ml/one-worker", "ml/one-head").isAll).toBe(true);
    expect(between("ml/one-head", "ml/one-worker").isAll).toBe(true);
    expect(between("ml/one-worker", "ml/two-head").isEmpty).toBe(true);
  });

  test("existing policies stay as they are: nothing is gained, and callers that they name keep what they have", () => {
    const known = (list: readonly JsonObject[]) =>
      JSON.parse(
        JSON.stringify(list).replaceAll('"x"', '"gateway"').replaceAll('"y"', '"llm-service"').replaceAll('"z"', '"vector-db"'),
      );
    fc.assert(
      fc.property(deployments, policyObjects, (list, policies) => {
        const all: readonly JsonObject[] = known([...deploymentObjects(list), ...policies]);
        const before = networkOfObjects(all);
        const { plans } = suggestFromIntent(before, catalogue);
        const now = withObjects(all, writePolicies(plans, "networkpolicy").objects as readonly JsonObject[]);
        expect(gained(before, now)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});

describe("minimise", () => {
  test("what is left lets exactly the same through, and no part of it could go alone", () => {
    fc.assert(
      fc.property(deployments, policyObjects, fc.boolean(), (list, policies, merge) => {
        const objects = [...deploymentObjects(list), ...policies];
        const documents = objects.map(documentOf);
        const network = networkOfObjects(objects);
        const minimised = minimisePolicies(network, documents, network.options, { merge });
        const gone = new Set(minimised.dropped.map((p) => p.document.value));
        const changed = new Map(minimised.changed.map((d) => [d.value.metadata?.name, d.value]));
        const left = objects
          .filter((o) => !gone.has(documentOf(o).value))
          .map((o) => (o["kind"] === "NetworkPolicy" ? (changed.get(documentOf(o).value.metadata?.name) ?? o) : o));
        const after = networkOfObjects(left);
        expect(minimised.proven).toBe(true);
        expect(equivalent(network, after)).toBe(true);
        const again = minimisePolicies(after, left.map(documentOf), after.options, { merge });
        expect(again.removals.filter((r) => r.path.length === 0)).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });

  test("a rule that another one covers, and a peer that another one covers", () => {
    const text = `${deploymentText("ns", "a", "app: a")}${deploymentText("ns", "b", "app: b")}---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: ns}
spec:
  podSelector: {matchLabels: {app: a}}
  ingress:
  - {from: [{podSelector: {}}, {podSelector: {matchLabels: {app: b}}}], ports: [{port: 80}]}
  - {from: [{podSelector: {matchLabels: {app: b}}}], ports: [{port: 80}]}
`;
    const network = networkOf(text);
    const { removals, changed } = minimisePolicies(network, network.documents, network.options);
    expect(removals.map((r) => r.path.join("."))).toEqual(["spec.ingress.1", "spec.ingress.0.from.1"]);
    expect(JSON.stringify(changed[0]?.value["spec"])).toContain(
      '"ingress":[{"from":[{"podSelector":{}}],"ports":[{"port":80}]}]',
    );
  });

  test("policies of the same pods become one where that is asked for", () => {
    const policy = (name: string, port: number) =>
      `---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: ns}\nspec: {podSelector: {matchLabels: {app: a}}, ingress: [{ports: [{port: ${port}}]}]}\n`;
    const text =
      deploymentText("ns", "a", "app: a") + deploymentText("ns", "b", "app: b") + policy("one", 80) + policy("two", 81);
    const network = networkOf(text);
    const { removals, changed, proven } = minimisePolicies(network, network.documents, network.options, { merge: true });
    expect(removals.map((r) => [r.policy.ref.name, r.into?.ref.name])).toEqual([["two", "one"]]);
    expect(JSON.stringify(changed[0]?.value["spec"])).toContain('"ingress":[{"ports":[{"port":80}]},{"ports":[{"port":81}]}]');
    expect(proven).toBe(true);
    expect(minimisePolicies(network, network.documents, network.options).removals).toEqual([]);
  });
});
