import type { Call } from "./call.ts";
import type { GatewayParts } from "./parts.ts";
import { type Refusal, refusal } from "./status.ts";

/** May they anyway? The roles say, and where they do not, the API server. */
export function standingRights(call: Call, parts: GatewayParts): Refusal | undefined | Promise<Refusal | undefined> {
  const coverage = parts.rights.covers(call.person, call.action);
  if (coverage instanceof Promise) return coverage.then((said) => take(call, said));
  return take(call, coverage);
}

function take(call: Call, coverage: Call["coverage"]): Refusal | undefined {
  call.coverage = coverage;
  if (coverage.covered !== undefined) return undefined;
  return refusal(503, `nobody could be asked whether you may: ${coverage.reason}`, { retryAfterSeconds: 2 });
}
