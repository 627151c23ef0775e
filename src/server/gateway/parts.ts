import type { Person } from "../../access/person.ts";
import type { AccessRequest } from "../../access/request.ts";
import type { RequestedAction } from "../../access/requested-action.ts";
import type { Instant } from "../../core/host.ts";
import type { JsonObject } from "../../core/json.ts";
import type { CallRecords } from "../../services/access/call-records.ts";
import type { AccessDesk } from "../../services/access/desk.ts";
import type { Authenticator } from "../../services/access/identity.ts";
import type { Upstream } from "../../services/access/upstream/upstream.ts";
import type { HeldCalls } from "./held-calls.ts";
import type { OpenTap } from "./stream/tap.ts";
import type { StreamRegistry } from "./stream-registry.ts";

/** Whether somebody's standing rights cover a call; undefined: nobody could be asked. */
export type Coverage =
  | { readonly covered: true; readonly by: "roles" | "server" }
  | { readonly covered: false | undefined; readonly reason: string };

/** Says what standing rights cover. */
export interface RightsJudge {
  covers(person: Person, action: RequestedAction): Coverage | Promise<Coverage>;
  /** Told when roles or bindings changed; the answer ends it. */
  onChange(listener: () => void): () => void;
}

export interface GuardrailVerdict {
  readonly guardrail: string;
  readonly effect: "deny" | "require-approval" | "require-reason" | "warn";
  readonly message: string;
}

export interface GuardedCall {
  readonly action: RequestedAction;
  readonly person: Person;
  readonly at: Instant;
  /** As sent, where it is JSON. */
  readonly object?: JsonObject | undefined;
  readonly oldObject?: JsonObject | undefined;
}

/** The guardrails in force. */
export interface GuardrailJudge {
  /** What must be read before these can judge; undefined: none concerns the call. */
  needs(action: RequestedAction, person: Person): { readonly object: boolean; readonly oldObject: boolean } | undefined;
  judge(call: GuardedCall): readonly GuardrailVerdict[];
  /** Told when they changed; the answer ends it. */
  onChange(listener: () => void): () => void;
}

export interface GatewayLimits {
  /** Of a request's body, bytes; the API server takes 3 MiB. */
  readonly bodyBytes: number;
  /** Open watches, logs, sessions and tunnels of one person. */
  readonly streamsPerPerson: number;
  /** The longest that any of them stays open, milliseconds. */
  readonly streamMilliseconds: number;
}

export const usualLimits: GatewayLimits = {
  bodyBytes: 3 * 1024 * 1024,
  streamsPerPerson: 1000,
  streamMilliseconds: 12 * 3_600_000,
};

/** All that the stages work with. */
export interface GatewayParts {
  readonly upstream: Upstream;
  readonly authenticator: Authenticator;
  readonly rights: RightsJudge;
  readonly guardrails: GuardrailJudge;
  readonly desk: AccessDesk;
  readonly records: CallRecords;
  readonly streams: StreamRegistry;
  readonly openTap: OpenTap;
  /** What an approval binds an object by. */
  readonly digestOf: (object: JsonObject) => string;
  /** The signed token by which our admission webhook knows an approved call. */
  readonly sealGrant: (request: AccessRequest, action: RequestedAction, person: Person, guardrails: readonly string[]) => string;
  /** How long a call waits for the decision about its request, milliseconds; 0: it is answered at once. */
  readonly hold: (request: AccessRequest, person: Person) => number;
  /** Calls that wait so, of all clusters. */
  readonly held: HeldCalls;
  /** Where people see a request: `https://console/access/<id>`; undefined: there is no console. */
  readonly link: (id: string) => string | undefined;
  readonly namespaceLabels: (namespace: string) => { readonly [key: string]: string } | undefined;
  /** Web origins that may open sockets, beside the gateway's own. */
  readonly origins: readonly string[];
  readonly limits: GatewayLimits;
  readonly now: () => Instant;
  readonly trouble: (error: unknown) => void;
}
