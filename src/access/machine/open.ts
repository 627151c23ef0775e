import type { Instant } from "../../core/host.ts";
import type { Person } from "../person.ts";
import type { AccessRequest, ApprovalSlot, Ask } from "../request.ts";
import { granted } from "./grant.ts";
import type { Step, StepRefusal } from "./step-types.ts";

/** What a request begins as: what was asked, and what the rule says to it. */
export interface Opening {
  readonly id: string;
  readonly cluster: string;
  readonly requester: Person;
  readonly ask: Ask;
  readonly reason: string;
  readonly rule: AccessRequest["rule"];
  readonly role?: AccessRequest["role"];
  readonly holdSeconds?: number | undefined;
  readonly guardrails: readonly string[];
  readonly breakGlass: boolean;
  readonly slots: readonly ApprovalSlot[];
  /** Of break-glass: who looks at it afterwards. */
  readonly reviewers?: readonly ApprovalSlot[] | undefined;
  /** The rule approves by itself, for this reason. */
  readonly approvedBecause?: string | undefined;
  readonly pendingMilliseconds: number;
  readonly grantMilliseconds: number;
}

type Opened = ({ readonly ok: true } & Step) | { readonly ok: false; readonly refused: StepRefusal };

const refused = (code: StepRefusal["code"], message: string): Opened => ({ ok: false, refused: { code, message } });
const isTime = (milliseconds: number) => Number.isFinite(milliseconds) && milliseconds > 0;

/** The rule as who approves. */
function ruleItself(rule: string): Person {
  const name = `rule:${rule}`;
  return { issuer: "castellan", subject: name, user: name, groups: [], human: `castellan#${name}`, isProgram: true };
}

/** The first step of a request: pending, or granted where the rule approves by itself. */
export function open(opening: Opening, now: Instant): Opened {
  const { approvedBecause, pendingMilliseconds, ...fixed } = opening;
  const { ask } = opening;
  if (opening.requester.user === "") return refused("ACCESS_BAD_REQUEST", "The requester has no name.");
  if (opening.breakGlass && opening.reason.trim() === "") {
    return refused("ACCESS_REASON_REQUIRED", "Break-glass access needs a reason.");
  }
  if (!isTime(pendingMilliseconds) || !isTime(opening.grantMilliseconds)) {
    return refused("ACCESS_BAD_REQUEST", `The rule ${opening.rule.name} leaves no time for it.`);
  }
  if (ask.type === "session" && !isTime(ask.milliseconds)) {
    return refused("ACCESS_BAD_REQUEST", "A session needs a duration longer than nothing.");
  }
  if (ask.type === "exception" && !(ask.until > now)) {
    return refused("ACCESS_BAD_REQUEST", "The exception would end before it begins.");
  }
  const latest = now + pendingMilliseconds;
  const request: AccessRequest = {
    ...fixed,
    approvals: [],
    opened: now,
    pendingUntil: ask.type === "exception" ? Math.min(latest, ask.until) : latest,
    phase: "pending",
    seen: now,
    revision: 1,
  };
  if (approvedBecause === undefined) return { ok: true, request, events: [{ type: "requested" }] };
  const approval = {
    by: ruleItself(opening.rule.name),
    at: now,
    verdict: "approve",
    comment: approvedBecause,
    channel: "rule",
    fills: [],
  } as const;
  const { request: live, grant } = granted({ ...request, approvals: [approval] }, now);
  const events = [{ type: "requested" }, { type: "decided", approval }, { type: "granted", grant }] as const;
  return { ok: true, request: live, events };
}
