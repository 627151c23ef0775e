import { type LoadedState, WatchedPaths } from "../adapters/files/watched-paths.ts";
import { onCallClients } from "../adapters/on-call/from-environment.ts";
import { sharedKey } from "../adapters/store/grant-tokens.ts";
import type { Ledger } from "../adapters/store/ledger.ts";
import type { Store } from "../adapters/store/store.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { SourceDocument } from "../core/source.ts";
import { tapOpener } from "../server/gateway/stream/open-tap.ts";
import type { OpenTap } from "../server/gateway/stream/tap.ts";
import { LiveAccess } from "../services/access/live-access.ts";
import { Recordings } from "../services/access/recordings.ts";
import type { RoleBindingGrants } from "../services/access/role-binding-grants.ts";
import type { FactsOf } from "../services/access/standing-offer.ts";
import { StoredAccessDesk } from "../services/access/stored-desk.ts";
import type { Io } from "./io.ts";
import type { GatewayFlags } from "./serve-gateway.ts";

export interface AccessFlags extends GatewayFlags {
  /** Access rules, guardrails, schedules, the directory and who is notified. */
  readonly access?: readonly string[];
  readonly recordingsKeep?: number;
  readonly recordingsInput?: boolean;
  readonly recordingsFailOpen?: boolean;
}

export interface AccessParts {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly io: Io;
  /** The cluster of requests that name none. */
  readonly cluster: string;
  readonly facts: FactsOf;
  readonly roleBindings: RoleBindingGrants | undefined;
  /** So long a provider's word on somebody's groups counts, milliseconds. */
  readonly groupsMaxAge: () => number | undefined;
  /** The files' documents, after each change of them. */
  readonly onDocuments: (documents: readonly SourceDocument[]) => void;
  readonly onDiagnostics: (diagnostics: readonly Diagnostic[]) => void;
  readonly trouble: (error: unknown) => void;
}

/** Requests, grants and recordings of a running server, with the documents that rule them. */
export interface ServedAccess {
  readonly live: LiveAccess;
  readonly desk: StoredAccessDesk;
  readonly facts: FactsOf;
  readonly recordings: Recordings;
  readonly openTap: OpenTap;
  /** By which admission knows what the gateway let through; replicas share it. */
  readonly grantKey: Uint8Array;
  /** Of the files, as they could last be read whole; before that, what could be read of them. */
  readonly documents: readonly SourceDocument[];
  stop(): Promise<void>;
}

const dayMilliseconds = 86_400_000;

/** Opens the desk over what the files say; they are followed as they change. Rejects where the database fails. */
export async function serveAccess(flags: AccessFlags, parts: AccessParts): Promise<ServedAccess> {
  const { store, ledger, io, cluster, facts, roleBindings, onDocuments, onDiagnostics, trouble } = parts;
  const { now } = io;
  const live = new LiveAccess({ onCallClients: await onCallClients(io.env), now, onDiagnostics, onTrouble: trouble });
  let current: readonly SourceDocument[] = [];
  const take = ({ documents, diagnostics }: Pick<LoadedState, "documents" | "diagnostics">) => {
    onDiagnostics(diagnostics);
    if (!diagnostics.some(({ severity }) => severity === "error")) {
      current = documents;
      live.setSource("files", documents);
      onDocuments(documents);
    } else trouble(new Error(`the access documents cannot all be read: ${meanwhile(live)} until they can`));
  };
  const paths = new WatchedPaths(flags.access ?? [], { render: "never", onChange: take, onTrouble: trouble });
  const loaded = await paths.start(flags.access ?? []);
  current = loaded.documents;
  take(loaded);
  const desk = new StoredAccessDesk({
    store,
    ledger,
    rules: () => live.rules,
    cluster,
    now,
    facts,
    humanOf: (login) => live.directory.humanOf(login),
    roleBindings,
    groupsMaxAge: parts.groupsMaxAge,
    onTrouble: trouble,
  });
  const recordings = new Recordings({
    store,
    ledger,
    now,
    failOpen: flags.recordingsFailOpen === true,
    keepMilliseconds: flags.recordingsKeep === undefined ? undefined : flags.recordingsKeep * dayMilliseconds,
    onTrouble: trouble,
  });
  await live.start();
  await desk.start();
  await recordings.start();
  return {
    live,
    desk,
    facts,
    recordings,
    openTap: tapOpener({ recordings, recordInput: flags.recordingsInput === true }),
    grantKey: await sharedKey(store.db, "grant"),
    get documents() {
      return current;
    },
    stop: async () => {
      await paths.stop();
      await recordings.close();
      await desk.close();
      await live.stop();
    },
  };
}

const meanwhile = ({ rules }: LiveAccess): string =>
  rules === undefined ? "no rule and no guardrail of them is in force, and nobody can ask," : "what was in force before stays so";
