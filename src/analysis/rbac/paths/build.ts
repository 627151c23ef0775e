import type { Identities } from "../identities.ts";
import { serviceAccountUser } from "../rbac-index.ts";
import type { RbacWorld, RunningPod } from "../world.ts";
import { clusterSteps } from "./cluster-steps.ts";
import { EscalationGraph, type HeldRule, namespacePlaces, type Place, type Step } from "./graph.ts";
import { grantOf, holdingsOf, identitiesOf, namedGrants, right } from "./holdings.ts";
import { namespaceSteps } from "./namespace-steps.ts";
import { nodeReach } from "./node-reach.ts";

/** Every step that the objects allow. Linear in identities, their rules, and pods. */
export function escalationGraph(world: RbacWorld, identities: Identities): EscalationGraph {
  const graph = new EscalationGraph();
  const everybody = identitiesOf(world, identities);
  const users = everybody.flatMap((p) => (p.kind === "account" && !p.user.startsWith("system:") ? p.user : []));
  for (const place of everybody) {
    const { rules } = holdingsOf(world, place, identities);
    const clusterWide = rules.get("") ?? [];
    for (const step of [...clusterSteps(place, clusterWide), ...userSteps(place, clusterWide, users)]) graph.add(step);
    for (const [namespace, held] of rules) {
      // Parts of a technique may come from a cluster-wide rule and a local one.
      const together = namespace === "" ? held : [...held, ...clusterWide];
      for (const step of namespaceSteps(world, place, namespace, together)) {
        if (namespace === "" || step.grants.some((g) => g.binding.namespace !== "")) graph.add(step);
      }
    }
  }
  for (const step of objectSteps(world, everybody)) graph.add(step);
  return graph;
}

function userSteps(from: Place, held: readonly HeldRule[], users: readonly string[]): Step[] {
  const wanted = right("impersonate", "/users");
  const step = (user: string, grant: HeldRule): Step => ({
    from,
    to: { kind: "account", user },
    technique: "impersonate",
    says: `impersonates ${user}`,
    grants: [grant],
  });
  const all = grantOf(held, wanted);
  return all === undefined
    ? namedGrants(held, wanted).map(([user, grant]) => step(user, grant))
    : users.map((user) => step(user, all));
}

/** Steps that follow from what exists: accounts of a namespace, pods and the accounts they run as, nodes. */
function objectSteps(world: RbacWorld, everybody: readonly Place[]): Step[] {
  const steps: Step[] = [];
  const free = (from: Place, to: Place, technique: string, says: string) => steps.push({ from, to, technique, says, grants: [] });
  const namespaces = new Set(world.namespaces);
  for (const place of everybody) {
    const [, namespace, name] = place.kind === "account" ? (/^system:serviceaccount:([^:]+):(.+)$/.exec(place.user) ?? []) : [];
    if (namespace === undefined) continue;
    namespaces.add(namespace);
    free({ kind: "accounts", namespace }, place, "account", `takes that of ${name}`);
    free({ kind: "run", namespace }, place, "run-as", `runs as service account ${name}`);
  }
  for (const namespace of namespaces) {
    const own: Place = { kind: "own", namespace };
    const run: Place = { kind: "run", namespace };
    for (const what of namespacePlaces) {
      free({ kind: "everywhere", what }, { kind: what, namespace }, "namespace", `in ${namespace}`);
    }
    free(own, run, "run", `runs pods in ${namespace}`);
    if (!isRestricted(world, namespace))
      free(
        run,
        { kind: "nodes" },
        "privileged-pod",
        `runs a privileged pod in ${namespace}, which no Pod Security label forbids`,
      );
  }
  for (const pod of onePerAccount(world.pods)) {
    const enter: Place = { kind: "enter", namespace: pod.namespace };
    const account: Place = { kind: "account", user: serviceAccountUser(pod.namespace, pod.serviceAccount) };
    const name = `${pod.kind} ${pod.namespace}/${pod.name}`;
    if (pod.mountsToken) {
      free(enter, account, "token-in-pod", `finds the token in ${name}`);
      free({ kind: "node" }, account, "token-on-node", `finds the token of ${name} on its node`);
    }
    const reach = nodeReach(pod.spec);
    if (reach !== undefined) free(enter, { kind: "node" }, "break-out", `leaves ${name}, which ${reach}`);
  }
  free({ kind: "nodes" }, { kind: "node" }, "any-node", "");
  // Managed control planes show no node.
  const [controlPlane] = world.controlPlanes;
  if (controlPlane !== undefined)
    free(
      { kind: "nodes" },
      { kind: "cluster-admin" },
      "control-plane-keys",
      `takes the signing keys of control plane ${controlPlane}`,
    );
  free({ kind: "cluster-admin" }, { kind: "secrets" }, "everything", "reads every secret");
  free({ kind: "cluster-admin" }, { kind: "node" }, "everything", "runs anything on every node");
  return steps;
}

/** Pods that differ by their account, its token or their hold on the node; one of each is enough. */
function onePerAccount(pods: readonly RunningPod[]): Iterable<RunningPod> {
  const seen = new Map<string, RunningPod>();
  for (const pod of pods) {
    const key = `${pod.namespace}/${pod.serviceAccount}/${pod.mountsToken}/${nodeReach(pod.spec) ?? ""}`;
    if (!seen.has(key)) seen.set(key, pod);
  }
  return seen.values();
}

/** Pod Security as far as labels say; a cluster-wide default is not among the objects. */
function isRestricted({ namespaceLabels }: RbacWorld, namespace: string): boolean {
  const level = namespaceLabels.get(namespace)?.["pod-security.kubernetes.io/enforce"];
  return level === "baseline" || level === "restricted";
}
