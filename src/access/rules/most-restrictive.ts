import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
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

/** All rules that had a say: a change to any of them is a change. */
function versionOf(offers: readonly RuleOffer[]): string {
  const [only, ...others] = offers;
  if (only !== undefined && others.length === 0) return only.version;
  const lines = offers.map(({ rule, version }) => `${rule}@${version}\n`).sort();
  return bytesToHex(sha256(utf8ToBytes(lines.join(""))));
}

/**
 * Several rules that offer one ask become one offer: any refusal refuses, else every demanded slot must be filled, else people
 * decide, and only where all agree does a rule approve by itself. Times are the shortest of all. `rule` names whose role is
 * used, else the most restrictive one's; undefined where nothing is offered or the named rule does not offer it.
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
    version: versionOf(ordered),
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
