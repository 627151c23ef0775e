import { isLive } from "../../access/machine/grant.ts";
import type { Command, Step } from "../../access/machine/step-types.ts";
import type { AccessRequest } from "../../access/request.ts";
import type { GrantUse, Outcome } from "./desk.ts";

/** How uses reach the desk's store. */
export interface UsePort {
  /** Refused where the database fails. */
  step(id: string, command: Command): Promise<Outcome<AccessRequest>>;
  /** Tries until it is kept or the desk closes. */
  report(id: string, command: Command): Promise<void>;
  /** The request as it is, where its grant is live for somebody who is not locked out. */
  stillLive(id: string): Promise<Outcome<AccessRequest>>;
}

/** The single call of a grant that was consumed for it. */
export function actionUse(port: UsePort, request: AccessRequest): GrantUse {
  const { id } = request;
  const attempt = request.grant?.attempts ?? 0;
  return {
    request,
    sent: () => port.step(id, { type: "sent", attempt }),
    done: (status) => port.report(id, { type: "done", attempt, status }),
    unknown: (why) => port.report(id, { type: "unknown", attempt, why }),
    returned: (why) => port.report(id, { type: "returned", attempt, why }),
  };
}

/** One of the calls of a session; the grant stays as it is. */
export function sessionUse(port: UsePort, request: AccessRequest): GrantUse {
  return {
    request,
    sent: () => port.stillLive(request.id),
    done: async () => {},
    unknown: async () => {},
    returned: async () => {},
  };
}

/** What a step comes to for whoever asked for it. */
export function outcomeOf(result: Step | undefined): Outcome<AccessRequest> {
  if (result === undefined) return { ok: false, code: "ACCESS_NOT_FOUND", message: "There is no such request." };
  return result.refused === undefined ? { ok: true, value: result.request } : { ok: false, ...result.refused };
}

/** A request whose grant is live at this time, or why it is not. */
export function liveOutcome(request: AccessRequest | undefined, at: number): Outcome<AccessRequest> {
  if (request === undefined) return outcomeOf(undefined);
  if (isLive(request, at)) return { ok: true, value: request };
  return { ok: false, code: "ACCESS_ENDED", message: `The grant is over: ${request.ended?.why ?? "expired"}.` };
}
