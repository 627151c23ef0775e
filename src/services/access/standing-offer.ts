import { areFilled } from "../../access/machine/slots.ts";
import type { Person } from "../../access/person.ts";
import type { AccessRequest, Ask } from "../../access/request.ts";
import { mostRestrictive } from "../../access/rules/most-restrictive.ts";
import type { AccessRules, OfferContext, RuleOffer } from "../../access/rules/types.ts";
import type { Instant } from "../../core/host.ts";

/** What is known of an ask beside itself. */
export type AskFacts = Pick<OfferContext, "namespaceLabels" | "rbacRisk">;
export type FactsOf = (person: Person, ask: Ask, cluster: string) => AskFacts;

/** What the rules say now to a request that was made before. */
export type Standing =
  | { readonly type: "holds"; readonly offer: RuleOffer }
  /** Not at this time; it may hold again. */
  | { readonly type: "refused"; readonly why: string }
  /** The request was made under rules that are no more. */
  | { readonly type: "gone"; readonly why: string };

export interface Asked {
  readonly person: Person;
  readonly ask: Ask;
  readonly cluster: string;
  readonly breakGlass: boolean;
  readonly at: Instant;
  readonly facts: AskFacts;
  readonly rule: string | undefined;
}

/** The one offer that the rules make; undefined: none. */
export function offerOf(rules: AccessRules, { person, ask, cluster, breakGlass, at, facts, rule }: Asked): RuleOffer | undefined {
  const labels = ask.type === "action" ? ask.action.namespaceLabels : undefined;
  const namespaceLabels = labels ?? facts.namespaceLabels;
  return mostRestrictive(rules.offers(person, ask, { at, cluster, breakGlass, ...facts, namespaceLabels }), rule);
}

/** Judges a request again, for whoever makes use of it now; `asked.rule` is the request's own. */
export function standingOf(rules: AccessRules, request: AccessRequest, asked: Asked): Standing {
  const offer = offerOf(rules, asked);
  if (offer?.version !== request.rule.version) {
    // The rules that made the request may be closed at this hour, or others open: what was offered then would be offered again.
    const then = offerOf(rules, { ...asked, at: request.opened });
    if (then?.version === request.rule.version)
      return { type: "refused", why: `${request.rule.name} does not hold at this time` };
    const why = then === undefined ? "no rule offers this to the requester any more" : "the rules that offer this changed";
    return { type: "gone", why };
  }
  if (offer.verdict === "reject") return { type: "refused", why: offer.because };
  if (request.phase === "granted" && offer.verdict !== "approve") {
    const approved = request.approvals.filter(({ verdict }) => verdict === "approve");
    if (!areFilled(offer.slots, approved)) return { type: "gone", why: "the rule wants other approvals now" };
  }
  return { type: "holds", offer };
}
