import { assertNever } from "../../core/diagnostic.ts";
import type { Instant } from "../../core/host.ts";
import type { Person } from "../person.ts";
import { personKey } from "../person.ts";
import type { AccessRequest, Approval, ApprovalSlot, Grant, RequestPhase } from "../request.ts";
import { dueAt, effectiveTime, granted } from "./grant.ts";
import { sameHuman } from "./same-human.ts";
import { areFilled, fillableSlots } from "./slots.ts";
import type { AccessEvent, Command, EndHow, Step, StepRefusal } from "./step-types.ts";

type Decision = Extract<Command, { type: "approve" | "deny" }>;
/** What becomes of a request at a time, before the step is stamped. */
type Change = Pick<Step, "events" | "refused"> & { readonly request: AccessRequest };

/**
 * One step of a request. The time that counts is the later of `now` and what any step saw before; what it ends is ended
 * before the command is looked at, so that nothing late succeeds, whether or not anybody swept.
 */
export function step(request: AccessRequest, command: Command, now: Instant): Step {
  const at = effectiveTime(request, now);
  const before = elapse(request, at);
  const after = command.type === "elapse" ? before : then(before, apply(before.request, command, at));
  if (after.events.length === 0) return { ...after, request };
  return { ...after, request: { ...after.request, seen: at, revision: request.revision + 1 } };
}

function then(first: Change, second: Change): Change {
  return { ...second, events: [...first.events, ...second.events] };
}

/** What time alone does. */
function elapse(request: AccessRequest, at: Instant): Change {
  const due = dueAt(request);
  if (due === undefined || at < due) return { request, events: [] };
  if (request.phase === "pending") return end(request, "lapsed", "lapsed", "nobody decided in time", at);
  if (request.phase === "granted") return end(request, "ended", "expired", "expired", at);
  return used(request, "unknown", "unknown", { why: "nobody reported what came of it" });
}

function apply(request: AccessRequest, command: Exclude<Command, { type: "elapse" }>, at: Instant): Change {
  switch (command.type) {
    case "approve":
    case "deny":
      return decide(request, command, at);
    case "cancel":
      if (request.phase !== "pending") return refuse(request, decidedBefore(request));
      if (!isRequester(request, command.by)) return refuse(request, notRequester);
      return end(request, "cancelled", "cancelled", "cancelled by the requester", at, command.by);
    case "revoke":
      return revoke(request, command.by, command.why, at);
    case "review":
      return review(request, command, at);
    case "consume":
      return consume(request, command);
    case "sent": {
      const attempt = attemptOf(request, command.attempt, "consumed");
      if (attempt === undefined || request.phase !== "granted") return refuse(request, notLive(request));
      return used(request, "sent", "sent");
    }
    case "returned":
      if (attemptOf(request, command.attempt, "consumed") === undefined) return refuse(request, notLive(request));
      return used(request, "returned", "live", { why: command.why });
    case "done":
      if (attemptOf(request, command.attempt, "sent") === undefined) return refuse(request, notLive(request));
      return finish(used(request, "done", "done", { status: command.status }), "used", "used", at);
    case "unknown":
      if (attemptOf(request, command.attempt, "sent") === undefined) return refuse(request, notLive(request));
      return finish(used(request, "unknown", "unknown", { why: command.why }), "unknown", "the outcome is not known", at);
    default:
      return assertNever(command);
  }
}

function decide(request: AccessRequest, { type: verdict, by, comment, channel, slots }: Decision, at: Instant): Change {
  if (request.phase !== "pending") return refuse(request, decidedBefore(request));
  if (by.isProgram) return refuse(request, { code: "ACCESS_PROGRAM", message: `${by.user} is a program: people decide.` });
  if (sameHuman(by, request.requester)) {
    return refuse(request, { code: "ACCESS_SELF_APPROVAL", message: `${by.user} cannot decide on their own request.` });
  }
  const fills = fillableSlots(slots, by);
  if (fills.length === 0) {
    const message = `${by.user} is not an approver; approvers are: ${namesOf(slots)}.`;
    return refuse(request, { code: "ACCESS_NOT_APPROVER", message });
  }
  const approved = request.approvals.filter((approval) => approval.verdict === "approve");
  if (verdict === "approve" && approved.some((approval) => sameHuman(approval.by, by))) {
    return refuse(request, { code: "ACCESS_ALREADY_APPROVED", message: `${by.user} has approved this before.` });
  }
  const approval: Approval = { by, at, verdict, comment, channel, fills };
  const next: AccessRequest = { ...request, slots, approvals: [...request.approvals, approval] };
  const decided: AccessEvent = { type: "decided", approval };
  if (verdict === "deny") {
    return { request: { ...next, phase: "denied", ended: { at, why: "denied", by } }, events: [decided] };
  }
  if (!areFilled(slots, [...approved, approval])) return { request: next, events: [decided] };
  const { request: live, grant } = granted(next, at);
  return { request: live, events: [decided, { type: "granted", grant }] };
}

function revoke(request: AccessRequest, by: Person | undefined, why: string, at: Instant): Change {
  if (request.phase !== "pending" && request.phase !== "granted") return refuse(request, endedBefore(request));
  const how = by === undefined ? "withdrawn" : "revoked";
  return end(request, "ended", how, why.trim() === "" ? how : why, at, by);
}

function review(request: AccessRequest, { by, comment, reviewers }: Extract<Command, { type: "review" }>, at: Instant): Change {
  const message = (text: string): StepRefusal => ({ code: "ACCESS_NOT_BREAK_GLASS", message: text });
  if (!request.breakGlass || request.grant === undefined) return refuse(request, message("No break-glass access was given."));
  if (request.reviewed !== undefined) return refuse(request, message(`${request.reviewed.by.user} has reviewed it before.`));
  if (by.isProgram) return refuse(request, { code: "ACCESS_PROGRAM", message: `${by.user} is a program: people review.` });
  if (sameHuman(by, request.requester)) {
    return refuse(request, { code: "ACCESS_SELF_APPROVAL", message: `${by.user} cannot review what they did themselves.` });
  }
  if (fillableSlots(reviewers, by).length === 0) {
    return refuse(request, {
      code: "ACCESS_NOT_APPROVER",
      message: `${by.user} is not one of those who review it; the rule names: ${namesOf(reviewers)}.`,
    });
  }
  return { request: { ...request, reviewers, reviewed: { by, at, comment } }, events: [{ type: "reviewed", by, comment }] };
}

function consume(request: AccessRequest, { by, digest, auditId }: Extract<Command, { type: "consume" }>): Change {
  const { ask, grant, requester } = request;
  if (personKey(by) !== personKey(requester) || by.user !== requester.user) return refuse(request, notRequester);
  if (ask.type !== "action" || ask.digest !== digest) {
    const message = "The call is not the one that was approved.";
    return refuse(request, { code: "ACCESS_OTHER_ACTION", message });
  }
  if (request.phase !== "granted" || grant?.use !== "live") return refuse(request, notLive(request));
  const attempts = (grant.attempts ?? 0) + 1;
  return used({ ...request, grant: { ...grant, attempts } }, "consumed", "consumed", { auditId });
}

/** The attempt, where it is the one under way and in this state. */
function attemptOf({ grant }: AccessRequest, attempt: number, use: Grant["use"]): number | undefined {
  return grant?.use === use && grant.attempts === attempt ? attempt : undefined;
}

function used(
  request: AccessRequest,
  what: Extract<AccessEvent, { type: "used" }>["use"],
  use: Grant["use"],
  more: Pick<Extract<AccessEvent, { type: "used" }>, "status" | "why" | "auditId"> = {},
): Change {
  const { grant } = request;
  if (grant === undefined) throw new Error("what is used has a grant");
  const event: AccessEvent = { type: "used", use: what, attempt: grant.attempts ?? 0, ...more };
  return { request: { ...request, grant: { ...grant, use } }, events: [event] };
}

/** A call whose grant ended while it was under way keeps that end. */
function finish(change: Change, how: EndHow, why: string, at: Instant): Change {
  return change.request.phase === "granted" ? then(change, end(change.request, "ended", how, why, at)) : change;
}

function end(
  request: AccessRequest,
  phase: RequestPhase,
  how: EndHow,
  why: string,
  at: Instant,
  by?: Person | undefined,
): Change {
  return { request: { ...request, phase, ended: { at, why, by } }, events: [{ type: "ended", how, why, by }] };
}

const namesOf = (slots: readonly ApprovalSlot[]): string => slots.map(({ name }) => name).join(", ") || "nobody";

const isRequester = ({ requester }: AccessRequest, by: Person): boolean =>
  by.human === requester.human || personKey(by) === personKey(requester);

const notRequester: StepRefusal = { code: "ACCESS_NOT_REQUESTER", message: "Only the requester may do this." };

function refuse(request: AccessRequest, refused: StepRefusal): Change {
  return { request, events: [], refused };
}

function decidedBefore(request: AccessRequest): StepRefusal {
  if (request.phase === "lapsed") return { code: "ACCESS_LAPSED", message: "It is too late: nobody decided in time." };
  return { code: "ACCESS_DECIDED", message: `The request is ${request.phase} already.` };
}

function endedBefore({ phase, ended }: AccessRequest): StepRefusal {
  return { code: "ACCESS_ENDED", message: `The request is ${phase} already${ended === undefined ? "" : `: ${ended.why}`}.` };
}

function notLive(request: AccessRequest): StepRefusal {
  const { phase, grant, ended } = request;
  if (grant?.use !== "live" && grant !== undefined) {
    if (phase === "granted" || ended?.why === "used") return { code: "ACCESS_USED", message: "The grant was used already." };
  }
  if (phase === "pending") return { code: "ACCESS_NOT_GRANTED", message: "The request is not approved yet." };
  if (ended?.why === "expired") return { code: "ACCESS_EXPIRED", message: "The grant's time is over." };
  return endedBefore(request);
}
