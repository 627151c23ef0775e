import type { AccessRequest, Ask } from "../../access/request.ts";

/** What was decided of a request like this one. */
export interface SimilarDecision {
  readonly id: string;
  readonly user: string;
  readonly reason: string;
  /** `granted` whatever became of the grant later. */
  readonly phase: "granted" | "denied" | "lapsed" | "cancelled";
  readonly decidedBy: readonly string[];
  readonly comment: string;
  readonly at: number;
  /** What it has in common with this one, most telling first. */
  readonly alike: readonly string[];
}

/** Marks that an ask has; the more two share, and the rarer those are, the more alike they are. */
function marksOf(ask: Ask): readonly (readonly [mark: string, says: string, weight: number])[] {
  switch (ask.type) {
    case "action": {
      const { verb, apiGroup, resource, subresource, namespace, name } = ask.action;
      const type = `${apiGroup}/${resource}/${subresource}`;
      return [
        [`object ${type} ${namespace} ${name}`, "the same object", name === "" ? 0 : 8],
        [`verb ${verb} ${type}`, "the same verb on the same kind", 4],
        [`namespace ${namespace}`, "the same namespace", namespace === "" ? 0 : 2],
      ];
    }
    case "session":
      return [[`namespace ${ask.namespace}`, "the same namespace", 4]];
    case "exception":
      return [
        [`object ${ask.object.apiVersion} ${ask.object.kind} ${ask.object.namespace} ${ask.object.name}`, "the same object", 8],
        [`policy ${ask.policy}`, "the same policy", 4],
        [`namespace ${ask.object.namespace}`, "the same namespace", 2],
      ];
  }
}

/** Past decisions about what is most like this request, best first; pure: the caller brings the past. */
export function similarDecisions(request: AccessRequest, past: readonly AccessRequest[], most = 5): readonly SimilarDecision[] {
  const marks = marksOf(request.ask);
  const scored = past.flatMap((other) => {
    const phase = outcomeOf(other);
    if (other.id === request.id || phase === undefined || other.ask.type !== request.ask.type) return [];
    if (other.cluster !== request.cluster) return [];
    const theirs = new Set(marksOf(other.ask).map(([mark]) => mark));
    const shared = marks.filter(([mark, , weight]) => weight > 0 && theirs.has(mark));
    const [best] = shared;
    // A namespace alone is no likeness of actions.
    if (best === undefined || best[2] < 4) return [];
    const same = other.requester.human === request.requester.human;
    const alike = [...shared.map(([, says]) => says), ...(same ? ["the same person"] : [])];
    const score = shared.reduce((sum, [, , weight]) => sum + weight, same ? 2 : 0);
    return [{ score, decision: decisionOf(other, phase, alike) }];
  });
  return scored
    .sort((a, b) => b.score - a.score || b.decision.at - a.decision.at)
    .slice(0, most)
    .map(({ decision }) => decision);
}

function outcomeOf({ phase, grant }: AccessRequest): SimilarDecision["phase"] | undefined {
  if (grant !== undefined) return "granted";
  return phase === "denied" || phase === "lapsed" || phase === "cancelled" ? phase : undefined;
}

function decisionOf(other: AccessRequest, phase: SimilarDecision["phase"], alike: readonly string[]): SimilarDecision {
  const { id, requester, reason, approvals, seen, ended } = other;
  const last = approvals.at(-1);
  return {
    id,
    user: requester.user,
    reason,
    phase,
    decidedBy: approvals.map(({ by, channel }) => (channel === "rule" ? "the rule itself" : by.user)),
    comment: last?.comment ?? "",
    at: last?.at ?? ended?.at ?? seen,
    alike,
  };
}
