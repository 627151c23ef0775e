import { ConnectionSet, protocols } from "../connection-set.ts";
import type { Direction, PossiblePod, Workload } from "../model.ts";
import type { CompiledPolicy } from "../rule.ts";
import { nameLabel } from "../world/cluster-objects.ts";
import type { AuditContext, Subject } from "./context.ts";
import { dnsFix, policyFix } from "./fixes.ts";
import { describeWorkloads, type NetworkIssue } from "./issue.ts";

/** Namespaces and policies as wholes: what is open, what is closed too far. */
export function directionIssues(context: AuditContext): readonly NetworkIssue[] {
  return [...withoutDefaultDeny(context), ...context.policies.flatMap((policy) => egressIssues(context, policy))];
}

const systemNamespace = /^kube-/;

/** Where nobody writes policies at all, one more sentence helps nobody. */
function withoutDefaultDeny({ network, policies, workloadsIn }: AuditContext): readonly NetworkIssue[] {
  if (policies.length === 0) return [];
  return [...workloadsIn].flatMap(([namespace, workloads]): NetworkIssue[] => {
    if (systemNamespace.test(namespace)) return [];
    const open = (direction: Direction) =>
      workloads.filter((w) => !w.hostNetwork && network.selecting(w, direction).length === 0);
    const [ingress, egress] = [open("ingress"), open("egress")];
    const first = [...ingress, ...egress][0];
    if (first === undefined) return [];
    const words = [
      ...(ingress.length > 0 ? [`no policy restricts ingress to ${describeWorkloads(ingress)}`] : []),
      ...(egress.length > 0 ? [`no policy restricts egress from ${describeWorkloads(egress)}`] : []),
    ];
    const types = [...(ingress.length > 0 ? ["Ingress"] : []), ...(egress.length > 0 ? ["Egress"] : [])];
    const document = network.documents.find(({ value }) => value.kind === "Namespace" && value.metadata?.name === namespace);
    return [
      {
        check: "no-default-deny",
        rule: types.join("-and-").toLowerCase(),
        document: document ?? first.document,
        resource: { group: "", version: "v1", kind: "Namespace", namespace: "", name: namespace },
        path: [],
        status: "warn",
        message: `In namespace ${namespace} ${words.join(", and ")}.`,
        evidence: { ingress: ingress.map((w) => w.id), egress: egress.map((w) => w.id) },
        fix: policyFix("Deny by default, then allow what is needed.", namespace, "default-deny", {
          podSelector: {},
          policyTypes: types,
        }),
      },
    ];
  });
}

const nameServer: PossiblePod = {
  namespace: [{ label: nameLabel, operator: "In", values: ["kube-system"] }],
  pods: [{ label: "k8s-app", operator: "In", values: ["kube-dns"] }],
  byLabelsOnly: true,
};

function egressIssues(context: AuditContext, policy: CompiledPolicy): readonly NetworkIssue[] {
  if (!policy.isolates.includes("egress") || policy.info.ref.namespace === "") return [];
  const subjects = context.subjectsOf(policy);
  if (subjects.length === 0) return [];
  return policy.rules.egress.length === 0 ? blocked(context, policy, subjects) : withoutNames(context, policy, subjects);
}

/** A default deny that nothing opens for pods of which nobody knows more than the namespace. */
function blocked(
  { policies, egressRulesOf }: AuditContext,
  policy: CompiledPolicy,
  subjects: readonly Subject[],
): readonly NetworkIssue[] {
  const { namespace } = policy.info.ref;
  const isForAll = policy.subjects.some((s) => s.everyPod);
  const opensForAll = policies.some(
    (p) =>
      p.rules.egress.some((r) => r.action === "allow") &&
      p.subjects.some((s) => s.everyPod && (s.namespaces.kind !== "one" || s.namespaces.name === namespace)),
  );
  if (!isForAll || opensForAll) return [];
  const isShut = (subject: Subject) => !egressRulesOf(subject).some((rule) => rule.action === "allow");
  const shut = subjects.filter((s) => !s.isImagined && isShut(s)).map((s) => s.workload);
  const who =
    shut.length === 0 ? `A pod of ${namespace} that no other policy selects` : `${describeWorkloads(shut)} in ${namespace}`;
  return [
    {
      check: "blocked-egress",
      rule: "nothing-allowed",
      document: policy.info.document,
      path: ["spec", "podSelector"],
      status: "fail",
      message: `${who} can open no connection at all: not to a name server, and not to what it has to report to or read from.`,
      evidence: { workloads: shut.map((w) => w.id) },
      fix: dnsFix(namespace),
    },
  ];
}

/** Egress is restricted to some peers, and no rule lets questions to a name server pass. */
function withoutNames(context: AuditContext, policy: CompiledPolicy, subjects: readonly Subject[]): readonly NetworkIssue[] {
  const deaf = subjects.filter((subject) => !canResolve(context, subject));
  const [first] = deaf;
  if (first === undefined || onlyClosesWithin(policy)) return [];
  const workloads: readonly Workload[] = deaf.filter((s) => !s.isImagined).map((s) => s.workload);
  const { namespace } = policy.info.ref;
  const who = workloads.length === 0 ? `pods of ${namespace} that it selects` : describeWorkloads(workloads);
  return [
    {
      check: "missing-dns",
      rule: "no-name-server",
      document: policy.info.document,
      path: ["spec", "egress"],
      status: "fail",
      message: `The policy restricts the egress of ${who}, and no policy lets them ask a name server on port 53.`,
      evidence: { workloads: workloads.map((w) => w.id) },
      fix: dnsFix(namespace),
    },
  ];
}

/** Rules to addresses alone need no names; names are needed as soon as a peer is a pod or a domain, or a database has a name. */
function onlyClosesWithin(policy: CompiledPolicy): boolean {
  return policy.rules.egress.every((rule) => rule.action !== "allow");
}

const dnsPort = ConnectionSet.of(protocols.UDP, 53);

function canResolve({ egressRulesOf }: AuditContext, subject: Subject): boolean {
  const { workload, network } = subject;
  if (network.throughToPossible(workload, "egress", nameServer).contains(dnsPort)) return true;
  // Somebody thought of port 53, whatever their name server is; every port to one peer is no such thought.
  return egressRulesOf(subject).some(
    ({ action, ports, peers }) =>
      action === "allow" &&
      (ports.named.some(({ name }) => /dns/.test(name)) ||
        (ports.numbers.contains(dnsPort) && (!ports.numbers.allPorts || peers.some((p) => p.everything === true)))),
  );
}
