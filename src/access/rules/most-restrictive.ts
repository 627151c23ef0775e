import type { ApprovalSlot } from "../request.ts";
import type { RuleOffer, RuleVerdict } from "./types.ts";

const rank: { readonly [verdict in RuleVerdict]: number } = { reject: 0, require: 1, "no-opinion": 2, approve: 3 };

/** One slot of a name: the greater count of the same approvers. */
function unionOf(offers: readonly RuleOffer[]): readonly ApprovalSlot[] {
  const slots = new Map<string, ApprovalSlot>();
  for (const slot of offers.flatMap((offer) => offer.slots)) {
    const key = JSON.stringify([slot.name, slot.approvers]);
    const known = slots.get(key);
    if (known === undefined || known.count < slot.count) slots.set(key, slot);
  }
  return [...slots.values()];
}

/**
 * Several rules that offer one ask become one offer: any refusal refuses, else every demanded slot must be filled, else people
 * decide, and only where all agree does a rule approve by itself. Times are the shortest of all. `rule` names whose role is
 * used, else the most restrictive one's, and its version counts: what the others say is asked again at each decision and use.
 * Undefined where nothing is offered or the named rule does not offer it.
 */
export function mostRestrictive(offers: readonly RuleOffer[], rule?: string | undefined): RuleOffer | undefined {
  const ordered = [...offers].sort(
    (a, b) => rank[a.verdict] - rank[b.verdict] || a.grantMilliseconds - b.grantMilliseconds || (a.rule < b.rule ? -1 : 1),
  );
  const strictest = ordered[0];
  const chosen = rule === undefined ? strictest : ordered.find((offer) => offer.rule === rule);
  if (strictest === undefined || chosen === undefined) return undefined;
  const refused = strictest.verdict === "reject";
  return {
    ...chosen,
    verdict: strictest.verdict,
    because: strictest.because,
    slots: refused ? [] : unionOf(ordered),
    grantMilliseconds: Math.min(...ordered.map((offer) => offer.grantMilliseconds)),
    pendingMilliseconds: Math.min(...ordered.map((offer) => offer.pendingMilliseconds)),
    holdSeconds: Math.min(...ordered.map((offer) => offer.holdSeconds)),
    modes: chosen.modes.filter((mode) => ordered.every((offer) => offer.modes.includes(mode))),
    reasonRequired: ordered.some((offer) => offer.reasonRequired),
  };
}
