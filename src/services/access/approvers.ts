import type { OnCallService } from "../../access/rules/approver-source.ts";
import type { Directory } from "../../access/rules/directory.ts";
import type { OnCallClient } from "../../adapters/on-call/on-call-client.ts";
import type { Instant } from "../../core/host.ts";

/** A schedule of an outside service that some rule names. */
export interface OnCallSchedule {
  readonly service: OnCallService;
  readonly id: string;
}

export interface ApproversOptions {
  readonly clients: ReadonlyMap<OnCallService, OnCallClient>;
  /** What the rules of the moment name. */
  readonly wanted: () => readonly OnCallSchedule[];
  readonly directory: () => Directory;
  readonly now: () => Instant;
  /** Told when those on call are others than before. */
  readonly onChange: () => void;
  readonly onTrouble: (error: Error) => void;
}

const refreshMilliseconds = 30_000;
/** An answer counts so long: a service that is down for longer than this takes nobody's word. */
const freshMilliseconds = 120_000;

const keyOf = ({ service, id }: OnCallSchedule): string => `${service}/${id}`;

/**
 * Who is on call by outside services, asked in the background so that no decision waits for them. Where a service fails, its last
 * answer counts for two minutes; after that nobody is on call, which lets nobody approve.
 */
export class Approvers {
  readonly #options: ApproversOptions;
  readonly #known = new Map<string, { readonly users: readonly string[]; readonly at: Instant }>();
  readonly #told = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #refreshing: Promise<void> | undefined;

  constructor(options: ApproversOptions) {
    this.#options = options;
  }

  /** Resolves after the first answers. */
  async start(): Promise<void> {
    await this.refresh();
    this.#timer = setInterval(() => {
      this.refresh().catch(this.#options.onTrouble);
    }, refreshMilliseconds);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#refreshing;
    await Promise.all([...this.#options.clients.values()].map((client) => client.close()));
  }

  /** Humans of the directory who are on call there. Users whom it does not list are nobody. */
  onCall(service: OnCallService, id: string): readonly string[] {
    const known = this.#known.get(keyOf({ service, id }));
    if (known === undefined || this.#options.now() - known.at > freshMilliseconds) return [];
    const directory = this.#options.directory();
    return known.users.flatMap((user) => directory.humanOfKey(`${service}#${user}`) ?? []);
  }

  /** Asks all services again; of several calls at once there is one round. Never rejects for what a service says. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#ask().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #ask(): Promise<void> {
    const wanted = new Map(this.#options.wanted().map((schedule) => [keyOf(schedule), schedule]));
    const changed = await Promise.all([...wanted.values()].map((schedule) => this.#askOne(schedule)));
    if (changed.includes(true)) this.#options.onChange();
  }

  async #askOne(schedule: OnCallSchedule): Promise<boolean> {
    const { clients, now, directory, onTrouble } = this.#options;
    const key = keyOf(schedule);
    const client = clients.get(schedule.service);
    if (client === undefined) {
      this.#tellOnce(key, `a rule names on-call:${key}, and there is no token for ${schedule.service}: nobody is on call`);
      return false;
    }
    try {
      const asked = now();
      const users = await client.onCall(schedule.id);
      const before = this.#known.get(key)?.users;
      this.#known.set(key, { users, at: asked });
      for (const user of users) {
        if (directory().humanOfKey(`${schedule.service}#${user}`) !== undefined) continue;
        this.#tellOnce(`${key} ${user}`, `${user} is on call by ${key}, and is no alias of anybody in the directory`);
      }
      return before === undefined || before.join("\n") !== users.join("\n");
    } catch (error) {
      onTrouble(new Error(`who is on call by ${key} is not known: ${error instanceof Error ? error.message : String(error)}`));
      return false;
    }
  }

  #tellOnce(what: string, message: string): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#options.onTrouble(new Error(message));
  }
}
