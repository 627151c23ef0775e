import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { RequestInfo } from "../../access/classify/request-info.ts";
import type { Person } from "../../access/person.ts";
import type { RequestedAction } from "../../access/requested-action.ts";
import type { Instant } from "../../core/host.ts";
import type { GrantUse } from "../../services/access/desk.ts";
import { fieldsOf, type HeaderFields } from "./header-fields.ts";
import type { Coverage, GuardrailVerdict } from "./parts.ts";
import type { Reply } from "./reply.ts";

/** Where a call goes on once it may: into a response, or into the bare socket of an upgrade. */
export type Outlet =
  | { readonly kind: "response"; readonly response: ServerResponse }
  | { readonly kind: "upgrade"; readonly socket: Duplex; readonly protocol: string; readonly early: Buffer };

/** One request on its way through the stages; each fills in what it finds out. */
export class Call {
  /** Ours, so that our records and the cluster's audit log join. */
  readonly auditId: string = randomUUID();
  readonly received: Instant;
  readonly request: IncomingMessage;
  /** What goes to the API server, byte for byte as it came. */
  readonly target: string;
  readonly socket: TLSSocket;
  readonly fields: HeaderFields;
  readonly reply: Reply;
  readonly outlet: Outlet;
  #person: Person | undefined;
  #info: RequestInfo | undefined;
  #action: RequestedAction | undefined;
  coverage: Coverage = { covered: undefined, reason: "not asked" };
  verdicts: readonly GuardrailVerdict[] = [];
  /** Whole, where it had to be read to be judged. */
  body: Buffer | undefined;
  use: GrantUse | undefined;
  /** What kubectl prints beside the answer; it is silent until then, as it ignores what 1xx answers say. */
  warning: string | undefined;
  #gone: AbortController | undefined;

  constructor(request: IncomingMessage, socket: TLSSocket, outlet: Outlet, reply: Reply, target: string, received: Instant) {
    this.request = request;
    this.target = target;
    this.socket = socket;
    this.outlet = outlet;
    this.reply = reply;
    this.received = received;
    this.fields = fieldsOf(request.rawHeaders);
  }

  get method(): string {
    return this.request.method ?? "";
  }

  get person(): Person {
    return known(this.#person, "the person");
  }

  set person(person: Person) {
    this.#person = person;
  }

  /** Undefined before the person is known, for records of refusals. */
  get knownPerson(): Person | undefined {
    return this.#person;
  }

  get info(): RequestInfo {
    return known(this.#info, "the request's attributes");
  }

  set info(info: RequestInfo) {
    this.#info = info;
  }

  get action(): RequestedAction {
    return known(this.#action, "the action");
  }

  set action(action: RequestedAction) {
    this.#action = action;
  }

  get knownAction(): RequestedAction | undefined {
    return this.#action;
  }

  /** Aborts when the client has gone. Made when first asked for: most calls are over before. */
  get gone(): AbortSignal {
    if (this.#gone === undefined) {
      const controller = new AbortController();
      this.#gone = controller;
      const { outlet } = this;
      // The response's own end: a kept connection would collect a listener for every call.
      const end = outlet.kind === "response" ? outlet.response : outlet.socket;
      if (this.socket.destroyed) controller.abort();
      else end.once("close", () => controller.abort());
    }
    return this.#gone.signal;
  }
}

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`a stage asked for ${what} before it was known`);
  return value;
}
