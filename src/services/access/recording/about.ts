import type { Person } from "../../../access/person.ts";
import type { NewRecord } from "../../../adapters/store/ledger-batch.ts";
import type { RecordingRow } from "../../../adapters/store/tables.ts";
import type { Instant } from "../../../core/host.ts";
import type { JsonObject } from "../../../core/json.ts";

/** Who does what where: what is known when a session begins. */
export interface RecordingAbout {
  readonly kind: "exec" | "attach" | "portforward";
  readonly cluster: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container?: string | undefined;
  readonly command: readonly string[];
  readonly tty: boolean;
  /** As the client likes it best: `websocket v5.channel.k8s.io`. */
  readonly protocol: string;
  readonly person: Pick<Person, "issuer" | "subject" | "user" | "human">;
  /** Of the access request whose grant is used. */
  readonly request?: string | undefined;
  readonly auditId: string;
}

/** How a session ended. */
export interface RecordingOutcome {
  readonly why: string;
  /** Hex SHA-256 over the chunks, one after the other. */
  readonly digest: string;
  readonly chunks: number;
  /** Of output, as it was delivered. */
  readonly bytes: number;
  /** Where the server chose another than the client likes best. */
  readonly protocol?: string | undefined;
  readonly milliseconds?: number | undefined;
  readonly exitCode?: number | undefined;
  /** Connections to each port of the pod. */
  readonly ports?: { readonly [port: string]: number } | undefined;
  readonly carried?: { readonly in: number; readonly out: number } | undefined;
  /** From then on it was passed on without being kept, because the switch for that is on. */
  readonly unrecorded?: { readonly at: Instant; readonly why: string } | undefined;
  /** The server that recorded it was gone; another has sealed what there was. */
  readonly interrupted?: true | undefined;
}

/** A recorded session, as lists and pages show it. */
export interface Recording {
  readonly id: string;
  readonly kind: RecordingAbout["kind"];
  readonly cluster: string;
  readonly user: string;
  readonly human: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container?: string | undefined;
  readonly command: readonly string[];
  readonly started: Instant;
  readonly ended?: Instant | undefined;
  readonly request?: string | undefined;
  readonly outcome?: RecordingOutcome | undefined;
  /** When retention removed what was shown. */
  readonly removed?: Instant | undefined;
}

export function recordingOf(row: RecordingRow): Recording {
  const { container, request, ...about } = aboutOf(row);
  const { ended, removed } = row;
  return {
    id: row.id,
    kind: about.kind,
    cluster: about.cluster,
    user: about.person.user,
    human: about.person.human,
    namespace: about.namespace,
    pod: about.pod,
    command: about.command,
    started: row.started,
    ...(container === undefined ? {} : { container }),
    ...(ended === null ? {} : { ended }),
    ...(request === undefined ? {} : { request }),
    ...(row.outcome === null ? {} : { outcome: outcomeOf(row.outcome) }),
    ...(removed === null ? {} : { removed }),
  };
}

// Both are written by this program alone, in these shapes.
export const aboutOf = (row: RecordingRow): RecordingAbout => JSON.parse(row.about) as RecordingAbout;
const outcomeOf = (text: string): RecordingOutcome => JSON.parse(text) as RecordingOutcome;

/** The key of the ledger's record that holds a recording's digest. */
export const sealKey = (id: string): string => `recording/${id}/ended`;

/** A record of the ledger about one recording. */
export function recordingRecord(
  id: string,
  about: RecordingAbout,
  said: {
    readonly at: Instant;
    readonly outcome: string;
    readonly actor?: string;
    readonly key?: string;
    readonly data?: JsonObject;
  },
): NewRecord {
  const { person, kind, cluster, namespace, pod, container, command, tty, protocol, request, auditId } = about;
  const { issuer, subject, user, human } = person;
  return {
    kind: "access.stream",
    at: said.at,
    cluster,
    actor: said.actor ?? user,
    verb: "create",
    group: "",
    resource: `pods/${kind}`,
    namespace,
    name: pod,
    outcome: said.outcome,
    key: said.key,
    data: {
      recording: id,
      auditId,
      request,
      person: { issuer, subject, user, human },
      stream: { kind, container, command, tty, protocol },
      ...said.data,
    },
  };
}
