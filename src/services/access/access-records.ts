import type { AccessEvent } from "../../access/machine/step-types.ts";
import type { Person } from "../../access/person.ts";
import type { AccessRequest, ApprovalSlot, Ask, Grant } from "../../access/request.ts";
import type { NewRecord } from "../../adapters/store/ledger-batch.ts";
import { assertNever } from "../../core/diagnostic.ts";
import type { Instant } from "../../core/host.ts";
import type { JsonObject } from "../../core/json.ts";

/** Who acts where nobody does: time, or a change of the rules. */
const system = "castellan";

/** What the ledger keeps of what a step made happen: who, what, why, when; digests in place of objects and bodies. */
export function accessRecords(request: AccessRequest, events: readonly AccessEvent[]): readonly NewRecord[] {
  return events.map((event) => {
    const { kind, actor, outcome, data } = partsOf(request, event);
    return {
      kind,
      at: request.seen,
      cluster: request.cluster,
      actor,
      ...targetOf(request.ask),
      outcome,
      data: { request: request.id, revision: request.revision, rule: { ...request.rule }, ...data },
    };
  });
}

/** A call that went under a session's grant. */
export function sessionUse(
  request: AccessRequest,
  target: Pick<NewRecord, "verb" | "group" | "resource" | "namespace" | "name">,
  at: Instant,
  auditId: string | undefined,
): NewRecord {
  const data = { request: request.id, rule: { ...request.rule }, grant: request.grant?.id, auditId };
  return {
    kind: "access.used",
    at,
    cluster: request.cluster,
    actor: request.requester.user,
    ...target,
    outcome: "session",
    data,
  };
}

/** Somebody was locked out, or is no longer. */
export function lockRecord(
  kind: "access.locked" | "access.unlocked",
  cluster: string,
  human: string,
  by: Person,
  at: Instant,
  data: { readonly why?: string; readonly until?: Instant | undefined } = {},
): NewRecord {
  return { kind, at, cluster, actor: by.user, name: human, data: { human, by: identity(by), ...data } };
}

type Parts = Pick<NewRecord, "kind" | "actor" | "outcome"> & { readonly data: JsonObject };

function partsOf(request: AccessRequest, event: AccessEvent): Parts {
  const requester = request.requester.user;
  switch (event.type) {
    case "requested": {
      const data: JsonObject = {
        requester: identity(request.requester),
        ask: askData(request.ask),
        reason: request.reason,
        role: request.role === undefined ? undefined : { ...request.role },
        guardrails: request.guardrails,
        breakGlass: request.breakGlass,
        slots: request.slots.map(slotData),
        ...(request.breakGlass ? { reviewers: (request.reviewers ?? []).map(slotData) } : {}),
        pendingUntil: request.pendingUntil,
        grantMilliseconds: request.grantMilliseconds,
      };
      return { kind: "access.requested", actor: requester, outcome: "pending", data };
    }
    case "decided": {
      const { by, verdict, comment, channel, fills } = event.approval;
      const data: JsonObject = { by: identity(by), verdict, comment, channel, fills, slots: request.slots.map(slotData) };
      return { kind: "access.decided", actor: by.user, outcome: verdict, data };
    }
    case "granted":
      return { kind: "access.granted", actor: requester, outcome: "granted", data: { grant: grantData(event.grant) } };
    case "used": {
      const { use, attempt, status, why, auditId } = event;
      const outcome = status === undefined ? use : String(status);
      const digest = request.ask.type === "action" ? request.ask.digest : undefined;
      const data: JsonObject = { grant: request.grant?.id, use, attempt, status, why, auditId, digest };
      return { kind: "access.used", actor: requester, outcome, data };
    }
    case "ended": {
      const by = event.by === undefined ? undefined : identity(event.by);
      const data: JsonObject = { phase: request.phase, how: event.how, why: event.why, by };
      return { kind: "access.ended", actor: event.by?.user ?? system, outcome: event.how, data };
    }
    case "reviewed": {
      const reviewers = (request.reviewers ?? []).map(slotData);
      const data: JsonObject = { by: identity(event.by), comment: event.comment, reviewers };
      return { kind: "access.reviewed", actor: event.by.user, outcome: "reviewed", data };
    }
    default:
      return assertNever(event);
  }
}

function identity({ issuer, subject, user, human, isProgram }: Person): JsonObject {
  return { issuer, subject, user, human, isProgram };
}

function slotData({ name, count, approvers }: ApprovalSlot): JsonObject {
  const { groups, humans, except } = approvers;
  return { name, count, groups, humans, except: except === undefined ? undefined : { ...except } };
}

function grantData({ id, from, until, group }: Grant): JsonObject {
  return { id, from, until, group };
}

function askData(ask: Ask): JsonObject {
  switch (ask.type) {
    case "action": {
      const { http, dryRun, pinned } = ask.action;
      return { type: ask.type, digest: ask.digest, http: { ...http }, dryRun, pinned: pinned && { ...pinned } };
    }
    case "session":
      return { ...ask };
    case "exception":
      return { ...ask, object: { ...ask.object } };
  }
}

/** The columns of a record that say what an ask is about. */
function targetOf(ask: Ask): Pick<NewRecord, "verb" | "group" | "resource" | "namespace" | "name"> {
  switch (ask.type) {
    case "action": {
      const { verb, apiGroup, resource, subresource, namespace, name } = ask.action;
      return { verb, group: apiGroup, resource: subresource === "" ? resource : `${resource}/${subresource}`, namespace, name };
    }
    case "session":
      return { verb: "session", namespace: ask.namespace };
    case "exception": {
      const { namespace, name, kind } = ask.object;
      return { verb: "exception", resource: kind, namespace, name };
    }
  }
}

/** The same of a call at hand. */
export const actionTarget = (ask: Extract<Ask, { type: "action" }>["action"]) =>
  targetOf({ type: "action", action: ask, digest: "" });
