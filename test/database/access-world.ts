import { join } from "node:path";
import { action as deletePod, person } from "../../src/access/machine/people.testing.ts";
import type { Person } from "../../src/access/person.ts";
import type { RequestedAction } from "../../src/access/requested-action.ts";
import { accessRules, compileAccessRules } from "../../src/access/rules/access-rules.ts";
import { compileDirectory } from "../../src/access/rules/directory.ts";
import type { ApproverLookup } from "../../src/access/rules/slots.ts";
import type { AccessRules } from "../../src/access/rules/types.ts";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { recordsFrom } from "../../src/adapters/store/ledger-reading.ts";
import { verifyStoredLedger } from "../../src/adapters/store/ledger-verification.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { keysOf, openSigner, verifyEd25519 } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import { asString, type JsonObject, type JsonValue, member } from "../../src/core/json.ts";
import { documentOf } from "../../src/core/schedule/schedule.testing.ts";
import { compileSchedule } from "../../src/core/schedule/schedule.ts";
import type { GrantUse, Outcome } from "../../src/services/access/desk.ts";
import type { RoleBindingGrants } from "../../src/services/access/role-binding-grants.ts";
import { StoredAccessDesk } from "../../src/services/access/stored-desk.ts";

export const start = Date.UTC(2026, 10, 20, 12);
export const minute = 60_000;

export const ada = person("ada", ["dev"]);
export const bob = person("bob", ["oncall"]);
export const eve = person("eve", ["oncall", "security"]);

/** The deletion of a pod; another name or namespace is another target. */
export function pod(more: Partial<RequestedAction> = {}): RequestedAction {
  const { namespace, name } = { ...deletePod(), ...more };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  return deletePod({ at: start, path, ...more, http: { ...deletePod().http, target: path, ...more.http } });
}

export const deletePods: JsonObject = {
  requesters: { groups: ["dev"] },
  asks: ["action", "session", "exception"],
  verbs: ["delete"],
  resources: [{ apiGroups: [""], resources: ["pods"] }],
  policies: ["*"],
  role: { kind: "ClusterRole", name: "pod-deleter" },
  modes: ["gateway", "rolebinding"],
  maxDuration: "10m",
  pendingTimeout: "5m",
  approvals: [{ from: ["group:oncall"] }],
};

export interface RuleTexts {
  readonly rules: { readonly [name: string]: JsonObject };
  readonly schedules?: { readonly [name: string]: JsonObject };
}

/** Rules as their documents compile. */
export function rulesOf({ rules, schedules = {} }: RuleTexts): AccessRules {
  const directory = compileDirectory([]);
  if (!directory.ok) throw new Error("no directory");
  const known = Object.entries(schedules).map(([name, spec]) => {
    const schedule = compileSchedule(documentOf("Schedule", name, spec));
    if (!schedule.ok) throw new Error(JSON.stringify(schedule.diagnostics));
    return [name, schedule.value] as const;
  });
  const lookup: ApproverLookup = { directory: directory.value, schedules: new Map(known), onCall: () => [] };
  const documents = Object.entries(rules).map(([name, spec]) => documentOf("AccessRule", name, spec));
  const compiled = compileAccessRules(documents, lookup);
  if (!compiled.ok || compiled.diagnostics.length > 0) throw new Error(JSON.stringify(compiled.diagnostics));
  return accessRules(compiled.value, lookup);
}

/** A store with its ledger, a clock that tests set, and desks on them: each is a replica, or a process started anew. */
export class AccessWorld {
  readonly store: Store;
  readonly directory: string;
  /** What the wall clock shows; set it. */
  wall = start;
  /** Milliseconds that passed in truth. */
  ticks = 0;
  rules: AccessRules | undefined = rulesOf({ rules: { "delete-pods": deletePods } });
  /** What the directory says of logins; else they are who they say. */
  humans = new Map<string, string>();
  roleBindings: RoleBindingGrants | undefined;
  readonly troubles: string[] = [];
  readonly #ledger: Ledger;
  readonly #desks: StoredAccessDesk[] = [];

  private constructor(store: Store, directory: string, ledger: (world: AccessWorld) => Ledger) {
    this.store = store;
    this.directory = directory;
    this.#ledger = ledger(this);
  }

  static async open(engine: "sqlite" | "postgres", directory: string, url: string | undefined): Promise<AccessWorld> {
    const store = await (engine === "sqlite" ? openSqlite(join(directory, "store")) : openPostgres(url ?? ""));
    return AccessWorld.on(store, directory);
  }

  static async on(store: Store, directory: string): Promise<AccessWorld> {
    const signer = await openSigner(directory, "test.example/ledger");
    return new AccessWorld(store, directory, (world) => new Ledger(store, signer, () => world.wall));
  }

  /** Time passes, as clocks show it. */
  pass(milliseconds: number): void {
    this.wall += milliseconds;
    this.ticks += milliseconds;
  }

  /** A desk that was not started sweeps nothing and hears of nothing. */
  async desk({ started = true } = {}): Promise<StoredAccessDesk> {
    const desk = new StoredAccessDesk({
      store: this.store,
      ledger: this.#ledger,
      rules: () => this.rules,
      cluster: "prod",
      now: () => this.wall,
      ticks: () => this.ticks,
      humanOf: ({ user, human }) => this.humans.get(user) ?? human,
      roleBindings: this.roleBindings,
      onTrouble: (error) => this.troubles.push(error.message),
    });
    this.#desks.push(desk);
    if (started) await desk.start();
    return desk;
  }

  async close(): Promise<void> {
    for (const desk of this.#desks) await desk.close();
    await this.store.close().catch(() => {});
  }

  /** All records of access in the order of the ledger. */
  async records(): Promise<readonly LedgerEntry[]> {
    const entries: LedgerEntry[] = [];
    for (let from = 0; ; from += 1000) {
      const rows = await recordsFrom(this.store.reading, from, 1000);
      for (const { kind, at, actor, outcome, body } of rows) {
        const data: JsonValue | undefined = member(JSON.parse(body), "data");
        entries.push({ kind, at, actor, outcome, request: asString(member(data, "request")), data, body });
      }
      if (rows.length < 1000) return entries;
    }
  }

  async problems(): Promise<readonly unknown[]> {
    return (await verifyStoredLedger(this.store.reading, await keysOf(this.directory), verifyEd25519)).problems;
  }
}

export interface LedgerEntry {
  readonly kind: string;
  readonly at: number;
  readonly actor: string | null;
  readonly outcome: string | null;
  readonly request: string | undefined;
  readonly data: JsonValue | undefined;
  readonly body: string;
}

/** What was answered, where it was no refusal. */
export function value<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`${outcome.code}: ${outcome.message}`);
  return outcome.value;
}

/** The use that there must be. */
export async function used(use: Promise<GrantUse | undefined>): Promise<GrantUse> {
  const found = await use;
  if (found === undefined) throw new Error("no grant covers it");
  return found;
}

export const codeOf = (outcome: Outcome<unknown>): string => (outcome.ok ? "ok" : outcome.code);

/** The ask for one call. */
export const ask = (by: Person = ada, of: RequestedAction = pod()) =>
  ({ requester: by, ask: { type: "action", action: of, digest: "" }, reason: "stuck" }) as const;

export const session = (milliseconds: number, mode: "gateway" | "rolebinding" = "gateway") =>
  ({ requester: ada, ask: { type: "session", namespace: "ml", milliseconds, mode }, reason: "debugging" }) as const;
