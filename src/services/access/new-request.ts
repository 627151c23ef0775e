import { randomBytes } from "node:crypto";
import type { AccessRequest, Ask } from "../../access/request.ts";
import type { RuleOffer } from "../../access/rules/types.ts";
import { type JsonObject, jsonEquals } from "../../core/json.ts";
import type { NewRequest, Refusal } from "./desk.ts";
import { withoutSecrets } from "./preview.ts";
import { refuse } from "./refusals.ts";

/** 60 bits, easy to read aloud and to type. */
export function newId(): string {
  const alphabet = "abcdefghjkmnpqrstuvwxyz023456789";
  return [...randomBytes(12)].map((byte) => alphabet[byte % alphabet.length]).join("");
}

/** The ask without values that nobody may read here: so it is judged, now and again, and so it is kept. */
export function readableAsk(ask: Ask): Ask {
  return ask.type === "action" ? { ...ask, preview: withoutSecrets(ask.preview) } : ask;
}

/** Whether the same was asked before, so that trying again does not fill the approvers' list. */
export function isSame(
  before: AccessRequest,
  { ask, rule, breakGlass, guardrails }: Pick<AccessRequest, "ask" | "rule" | "breakGlass" | "guardrails">,
): boolean {
  if (before.rule.name !== rule.name || before.rule.version !== rule.version || before.breakGlass !== breakGlass) return false;
  if (!jsonEquals(before.guardrails, guardrails)) return false;
  if (ask.type === "action") return before.ask.type === "action" && before.ask.digest === ask.digest;
  return jsonEquals(before.ask as unknown as JsonObject, ask as unknown as JsonObject);
}

/** Why a rule that offers this does not open a request for it; the binding that it may need is looked at by the desk. */
export function offerRefusal({ ask, reason, requester, unread }: NewRequest, offer: RuleOffer): Refusal | undefined {
  if (offer.verdict === "reject") return refuse("ACCESS_REJECTED", offer.because);
  if (offer.reasonRequired && reason.trim() === "") return refuse("ACCESS_REASON_REQUIRED", `${offer.rule} wants a reason.`);
  if (unread === true && offer.verdict === "approve") {
    return refuse("ACCESS_REJECTED", `${offer.rule} approves by itself, and what ${requester.user} asks for could not be read.`);
  }
  if (ask.type !== "session" || offer.modes.includes(ask.mode)) return undefined;
  return refuse("ACCESS_BAD_REQUEST", `${offer.rule} offers no session by ${ask.mode}.`);
}
