import type { Instant } from "../../core/host.ts";
import type { AccessRequest, Grant } from "../request.ts";

/** The group under which calls go with a grant of this rule; no identity provider may say it. */
const grantGroup = (rule: string): string => `castellan:grant:${rule}`;

/** The time that counts for a request: a clock that went back does not give time. */
export const effectiveTime = (request: AccessRequest, now: Instant): Instant => Math.max(request.seen, now);

function grantUntil({ ask, grantMilliseconds }: AccessRequest, from: Instant): Instant {
  const longest = from + grantMilliseconds;
  switch (ask.type) {
    case "action":
      return longest;
    case "session":
      return Math.min(longest, from + ask.milliseconds);
    case "exception":
      return Math.min(longest, ask.until);
  }
}

/** The request with the grant that begins now. */
export function granted(request: AccessRequest, from: Instant): { readonly request: AccessRequest; readonly grant: Grant } {
  const grant: Grant = {
    id: `${request.id}-grant`,
    from,
    until: grantUntil(request, from),
    group: grantGroup(request.rule.name),
    use: "live",
    attempts: 0,
  };
  return { request: { ...request, phase: "granted", grant }, grant };
}

/** Whether the grant may be used at this time, for the first time or, where it is for a while, again. */
export function isLive(request: AccessRequest, now: Instant): boolean {
  const { phase, grant } = request;
  return phase === "granted" && grant?.use === "live" && effectiveTime(request, now) < grant.until;
}

/** A call that was sent and of which nobody said what came of it: so long after the grant's end nobody will. */
export const unreportedMilliseconds = 600_000;

/** When time itself changes the request next; undefined: never. */
export function dueAt(request: AccessRequest): Instant | undefined {
  const { phase, grant, ended, pendingUntil } = request;
  if (phase === "pending") return pendingUntil;
  if (phase === "granted") return grant?.until;
  return phase === "ended" && grant?.use === "sent" && ended !== undefined ? ended.at + unreportedMilliseconds : undefined;
}

/**
 * Of the guardrails that ask for an approval or a reason, those that the request's grant meets: the ones it was approved for, or all for
 * who broke the glass, which is told at once and reviewed. A guardrail that denies is met by no grant.
 */
export function guardrailsMet(
  { breakGlass, guardrails }: Pick<AccessRequest, "breakGlass" | "guardrails">,
  asking: readonly string[],
): readonly string[] {
  return breakGlass ? asking : asking.filter((name) => guardrails.includes(name));
}
