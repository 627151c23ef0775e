import {
  asString,
  isArray,
  isObject,
  type JsonObject,
  type JsonPath,
  type JsonValue,
  member,
  toPointer,
} from "../../../core/json.ts";
import { type KubernetesObject, nameOf, namespaceOf } from "../../../core/kubernetes.ts";
import { adviceFix, type LintIssue, patchFix } from "../issue.ts";
import type { ScannedSet } from "../scanned-set.ts";
import { ipBlockIssues } from "./ip-block.ts";
import { type NetworkRule, selectsAll } from "./policy.ts";
import { anyWorkloadMatches } from "./workloads.ts";

/** Peer lists that mean everybody, and peers that were meant to be one. */
export function peerIssues(policy: KubernetesObject, rule: NetworkRule, set: ScannedSet): LintIssue[] {
  const peersPath = [...rule.path, rule.peersKey];
  if (rule.peers === undefined) return openRule(policy, rule);
  if (!isArray(rule.peers)) return [];
  if (rule.peers.length === 0) {
    return [
      {
        check: "network-policy",
        rule: "empty-peers",
        path: peersPath,
        status: "fail",
        message: `An empty ${rule.peersKey} list does not mean nobody: it allows ${everybody(rule)}.`,
        fix: adviceFix(
          `Name the peers. To allow nobody, remove the rule, so that ${rule.direction.toLowerCase()} is an empty list.`,
        ),
      },
    ];
  }
  return [
    ...rule.peers.flatMap((peer, i) => onePeer(peer, [...peersPath, i], rule)),
    ...splitPeers(policy, rule.peers, peersPath, set),
  ];
}

function everybody(rule: NetworkRule): string {
  const side = rule.direction === "Ingress" ? "traffic from everywhere" : "traffic to everywhere";
  return isArray(rule.ports) && rule.ports.length > 0 ? `${side} on its ports` : `all ${side}`;
}

/** A rule without peers and ports is the documented way to allow everything; under a name that denies it is a mistake. */
function openRule(policy: KubernetesObject, rule: NetworkRule): LintIssue[] {
  const unlimited = Object.keys(rule.value).length === 0;
  const name = nameOf(policy);
  const denies = /deny|block|restrict|isolat|lock/i.test(name) && !/allow|open|permit/i.test(name);
  if (!unlimited || !denies) return [];
  return [
    {
      check: "network-policy",
      rule: "deny-that-allows",
      path: rule.path,
      status: "fail",
      message: `The policy is called ${name}, and its empty rule {} allows ${everybody(rule)}.`,
      fix: patchFix("Remove the rule.", { op: "remove", path: toPointer(rule.path) }),
    },
  ];
}

function onePeer(peer: JsonValue, path: JsonPath, rule: NetworkRule): LintIssue[] {
  if (!isObject(peer)) return [];
  const selectors = ["podSelector", "namespaceSelector"].filter((key) => isPresent(peer, key));
  const block = peer["ipBlock"];
  if (selectors.length === 0 && !isPresent(peer, "ipBlock"))
    return [refused(path, "An empty peer names nobody.", "Name a podSelector, a namespaceSelector or an ipBlock.")];
  if (selectors.length > 0 && isPresent(peer, "ipBlock")) {
    return [refused(path, `A peer cannot hold both ipBlock and ${selectors.join(" and ")}.`, "Make them two peers.")];
  }
  if (isObject(block)) return ipBlockIssues(block, [...path, "ipBlock"], rule);
  const wholeCluster =
    isPresent(peer, "namespaceSelector") && selectsAll(peer["namespaceSelector"]) && selectsAll(peer["podSelector"]);
  return wholeCluster ? [clusterWide(path, rule)] : [];
}

function isPresent(peer: JsonObject, key: string): boolean {
  return peer[key] !== undefined && peer[key] !== null;
}

export function refused(path: JsonPath, message: string, fix: string): LintIssue {
  return {
    check: "network-policy",
    rule: "rejected",
    path,
    status: "fail",
    server: "refuses-object",
    message: `${message} The API server refuses the policy.`,
    fix: adviceFix(fix),
  };
}

function clusterWide(path: JsonPath, rule: NetworkRule): LintIssue {
  return {
    check: "network-policy",
    rule: "all-namespaces",
    path: [...path, "namespaceSelector"],
    status: "warn",
    severity: "medium",
    message: `An empty namespaceSelector is every namespace: the rule allows ${rule.direction === "Ingress" ? "traffic from" : "traffic to"} every pod of the cluster.`,
    fix: adviceFix(
      "Select namespaces by kubernetes.io/metadata.name; for this namespace alone, use podSelector: {} without namespaceSelector.",
    ),
  };
}

/** `- namespaceSelector` and `- podSelector` as two items: either is enough, though both were meant to hold. */
function splitPeers(policy: KubernetesObject, peers: readonly JsonValue[], path: JsonPath, set: ScannedSet): LintIssue[] {
  if (peers.length !== 2) return [];
  const namespaces = peers.findIndex((peer) => onlyKey(peer, "namespaceSelector"));
  const pods = peers.findIndex((peer) => onlyKey(peer, "podSelector"));
  const podPeer = peers[pods];
  const namespacePeer = peers[namespaces];
  if (podPeer === undefined || namespacePeer === undefined) return [];
  const podSelector = member(podPeer, "podSelector");
  if (selectsAll(podSelector) || anyWorkloadMatches(set, namespaceOf(policy), podSelector)) return [];
  const joined: JsonValue = { namespaceSelector: member(namespacePeer, "namespaceSelector"), podSelector };
  return [
    {
      check: "network-policy",
      rule: "split-peers",
      path,
      status: "warn",
      severity: "medium",
      message:
        "Each dash is a peer of its own: this allows every pod of the selected namespaces, and the selected pods of this namespace. No scanned workload of this namespace has these labels, so one peer with both selectors was probably meant.",
      fix: patchFix("Join both selectors in one peer.", { op: "replace", path: toPointer(path), value: [joined] }),
    },
  ];
}

function onlyKey(peer: JsonValue, key: string): boolean {
  return isObject(peer) && Object.keys(peer).length === 1 && asString(Object.keys(peer)[0]) === key;
}
