import { authenticate } from "./authenticate.ts";
import type { Call } from "./call.ts";
import { classify } from "./classify.ts";
import { forward } from "./forward.ts";
import { grant } from "./grant.ts";
import { guardrails } from "./guardrails.ts";
import type { GatewayParts } from "./parts.ts";
import { record } from "./record.ts";
import { standingRights } from "./standing.ts";
import type { Refusal } from "./status.ts";

/** One step of a call: a refusal ends it; the last one has answered it. */
export type Stage = (call: Call, parts: GatewayParts) => Refusal | undefined | Promise<Refusal | undefined>;

/** What happens to every call, in this order. */
const stages: readonly Stage[] = [authenticate, classify, standingRights, guardrails, grant, record, forward];

/** Takes a call through the stages; the refusal is undefined where it was forwarded. */
export async function decide(call: Call, parts: GatewayParts): Promise<Refusal | undefined> {
  for (const stage of stages) {
    const said = stage(call, parts);
    const refusal = said instanceof Promise ? await said : said;
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
