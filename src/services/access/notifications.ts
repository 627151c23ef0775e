import type { AccessRequest } from "../../access/request.ts";
import type { Delivery, Notice } from "../../adapters/notify/notice.ts";
import type { NoticeTarget, NotificationSettings } from "../../adapters/notify/targets.ts";
import {
  enqueue,
  forgetSent,
  lease,
  markFailed,
  markSent,
  type NewNotification,
  readNotifications,
  reviveDead,
} from "../../adapters/store/outbox.ts";
import type { Store } from "../../adapters/store/store.ts";
import type { NotificationRow } from "../../adapters/store/tables.ts";
import type { Instant } from "../../core/host.ts";
import type { AccessDesk } from "./desk.ts";
import { concerns, happenedTo, noticeOf } from "./notices.ts";

export interface NotificationOptions {
  readonly desk: AccessDesk;
  readonly store: Store;
  /** As they are at first; undefined: nobody is told of anything. */
  readonly settings: NotificationSettings | undefined;
  readonly now: () => Instant;
  readonly onTrouble: (error: unknown) => void;
  /** Between attempts, milliseconds; after the last one a message is a dead letter. */
  readonly backoff?: readonly number[] | undefined;
}

/** One message as administrators see it. */
export interface Letter {
  readonly id: string;
  readonly request: string;
  readonly event: string;
  readonly target: string;
  readonly headline: string;
  readonly state: NotificationRow["state"];
  readonly attempts: number;
  readonly created: Instant;
  readonly due: Instant;
  readonly sent?: Instant | undefined;
  readonly problem?: string | undefined;
}

const minute = 60_000;
const usualBackoff = [5_000, 30_000, 2 * minute, 10 * minute, 30 * minute, 120 * minute, 300 * minute, 600 * minute];
const deliverEvery = 1000;
const sweepEvery = 30_000;
const leaseMilliseconds = 2 * minute;
const atOnce = 16;
/** What happened longer ago than this is told to nobody: it happened while nobody had asked to be told. */
const freshMilliseconds = 24 * 60 * minute;
const keepSentMilliseconds = 30 * 24 * 60 * minute;

/**
 * Tells people what happens to requests. Each event goes into the outbox once, whichever replicas see it, and is tried until
 * the receiver takes it; a receiver may get a message twice where we end between its answer and ours, under the same id.
 */
export class Notifications {
  readonly #options: NotificationOptions;
  readonly #backoff: readonly number[];
  #consoleUrl = "";
  #targets: ReadonlyMap<string, NoticeTarget> = new Map();
  #ends: (() => void)[] = [];
  #delivering: Promise<void> | undefined;
  /** Something could not be put into the outbox, so that the next sweep looks at everything. */
  #missed = true;

  constructor(options: NotificationOptions) {
    this.#options = options;
    this.#backoff = options.backoff ?? usualBackoff;
    this.use(options.settings);
  }

  /** From now on these are told. What waits for a target goes to the one that has its name by now. */
  use(settings: NotificationSettings | undefined): void {
    this.#consoleUrl = settings?.consoleUrl ?? "";
    this.#targets = new Map(settings?.targets.map((target) => [target.name, target]));
  }

  start(): void {
    const { desk, onTrouble } = this.#options;
    const deliveries = setInterval(() => this.#deliverSoon(), deliverEvery);
    const sweeps = setInterval(() => void this.sweep().catch(onTrouble), sweepEvery);
    this.#ends = [
      desk.onChange((request) => void this.#tell([request])),
      () => clearInterval(deliveries),
      () => clearInterval(sweeps),
    ];
    this.sweep().catch(onTrouble);
  }

  /** Ends after what is under way; what waits is sent by whoever runs next. */
  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0)) end();
    await this.#delivering;
  }

  /** Looks at requests for what nobody told of: what ends soon, and what changed while no replica listened. */
  async sweep(): Promise<void> {
    const { desk, store, now } = this.#options;
    const all = this.#missed;
    this.#missed = false;
    try {
      const requests = await desk.list(all ? { limit: 1000 } : { phases: ["pending", "granted"], limit: 1000 });
      await this.#tell(requests);
      await forgetSent(store.db, now() - keepSentMilliseconds);
    } catch (error) {
      this.#missed = true;
      throw error;
    }
  }

  async #tell(requests: readonly AccessRequest[]): Promise<void> {
    const { store, now, onTrouble } = this.#options;
    const at = now();
    const messages = requests.flatMap((request) => this.#messages(request, at));
    try {
      // A statement holds some thousand values.
      for (let i = 0; i < messages.length; i += 50) await enqueue(store.db, messages.slice(i, i + 50), at);
    } catch (error) {
      this.#missed = true;
      onTrouble(error);
    }
    this.#deliverSoon();
  }

  #messages(request: AccessRequest, at: Instant): readonly NewNotification[] {
    const fresh = happenedTo(request, at).filter((h) => request.phase === "pending" || at - h.at < freshMilliseconds);
    return fresh.flatMap((happened) =>
      [...this.#targets.values()]
        .filter((target) => concerns(target, happened.event, request))
        .map((target) => {
          const notice = noticeOf(request, happened, target, this.#consoleUrl);
          const { event } = happened;
          return { id: notice.id, request: request.id, event, target: target.name, payload: JSON.stringify(notice) };
        }),
    );
  }

  #deliverSoon(): void {
    this.#delivering ??= this.deliver()
      .catch(this.#options.onTrouble)
      .finally(() => {
        this.#delivering = undefined;
      });
  }

  /** Sends what is due; answers when nothing more is. */
  async deliver(): Promise<void> {
    const { store, now } = this.#options;
    for (;;) {
      const rows = await lease(store.db, { now: now(), until: now() + leaseMilliseconds, limit: atOnce });
      if (rows.length === 0) return;
      await Promise.all(rows.map((row) => this.#send(row)));
    }
  }

  async #send(row: NotificationRow): Promise<void> {
    const { store, now } = this.#options;
    const target = this.#targets.get(row.target);
    const delivery: Delivery =
      target === undefined
        ? { ok: false, problem: "the notifications no longer name this target", retry: false }
        : await target.channel.send(readNotice(row));
    if (delivery.ok) return markSent(store.db, row.id, now());
    const wait = delivery.retry ? this.#backoff[row.attempts - 1] : undefined;
    // A tenth more or less, so that what failed together is not tried together.
    const due = wait === undefined ? undefined : now() + Math.max(wait * (0.9 + Math.random() / 5), delivery.after ?? 0);
    return markFailed(store.db, row.id, delivery.problem, due === undefined ? undefined : Math.round(due));
  }

  /** Newest first. */
  async letters(filter: {
    readonly state?: NotificationRow["state"] | undefined;
    readonly request?: string | undefined;
    readonly limit: number;
  }): Promise<readonly Letter[]> {
    const rows = await readNotifications(this.#options.store.reading, filter);
    return rows.map((row) => ({
      id: row.id,
      request: row.request,
      event: row.event,
      target: row.target,
      headline: readNotice(row).headline,
      state: row.state,
      attempts: row.attempts,
      created: row.created,
      due: row.due,
      sent: row.sent ?? undefined,
      problem: row.problem ?? undefined,
    }));
  }

  /** Tries a dead letter anew; false: there is none of this id. */
  async sendAgain(id: string): Promise<boolean> {
    const { store, now } = this.#options;
    const revived = await reviveDead(store.db, id, now());
    if (revived) this.#deliverSoon();
    return revived;
  }
}

/** Of our own writing. */
const readNotice = (row: NotificationRow): Notice => JSON.parse(row.payload);
