import type { LedgerFilter } from "../../adapters/store/ledger-reading.ts";
import { workloadFilters } from "./deployed-workloads.ts";

/** A question that auditors ask, with its answer's filter. Events are counted at the stage that knows the outcome. */
export interface SavedQuery {
  readonly question: string;
  readonly filter: LedgerFilter;
}

const changes = ["create", "update", "patch", "delete", "deletecollection"];
const answered = ["1*", "2*", "3*", "4*", "5*"];

const policyGroups = [
  "kyverno.io",
  "policies.kyverno.io",
  "templates.gatekeeper.sh",
  "constraints.gatekeeper.sh",
  "mutations.gatekeeper.sh",
  "config.gatekeeper.sh",
  "admissionregistration.k8s.io",
  "castellan.dev",
];

export const savedQueries = {
  "rbac-changes": {
    question: "Who changed roles and bindings?",
    filter: {
      kinds: ["audit.event"],
      groups: ["rbac.authorization.k8s.io"],
      verbs: [...changes, "escalate", "bind"],
      outcomes: answered,
    },
  },
  "secret-reads": {
    question: "Who read secrets, and when?",
    filter: { kinds: ["audit.event"], groups: [""], resources: ["secrets"], verbs: ["get", "list", "watch"], outcomes: answered },
  },
  exec: {
    question: "Who ran commands in containers, attached to them or opened tunnels?",
    filter: {
      kinds: ["audit.event"],
      resources: ["pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers"],
      outcomes: answered,
    },
  },
  deployed: {
    question: "Which workloads were deployed, by whom?",
    filter: { kinds: ["audit.event"], verbs: ["create", "update", "patch"], outcomes: ["2*"], anyOf: workloadFilters },
  },
  denied: {
    question: "What was refused?",
    filter: { kinds: ["audit.event", "admission.decision"], outcomes: ["401", "403", "deny"] },
  },
  violations: {
    question: "Which objects violated policies, and in which namespaces?",
    filter: { kinds: ["admission.decision", "finding.opened"], outcomes: ["deny", "warn", "audit", "fail"] },
  },
  "policy-changes": {
    question: "Who changed or disabled a policy?",
    // A change of files is one record of many policies: it has neither group nor verb.
    filter: { anyOf: [{ kinds: ["audit.event"], groups: policyGroups, verbs: changes }, { kinds: ["policy.changed"] }] },
  },
} as const satisfies { readonly [name: string]: SavedQuery };

export type SavedQueryName = keyof typeof savedQueries;

export const savedQueryNames: readonly SavedQueryName[] = Object.keys(savedQueries).filter(isSavedQueryName);

export function isSavedQueryName(name: string): name is SavedQueryName {
  return Object.hasOwn(savedQueries, name);
}
