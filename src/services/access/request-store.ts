import { step } from "../../access/machine/step.ts";
import type { AccessEvent, Command, Step } from "../../access/machine/step-types.ts";
import type { Person } from "../../access/person.ts";
import type { AccessRequest } from "../../access/request.ts";
import { readAccessLock, writeAccessLock } from "../../adapters/store/access-locks.ts";
import {
  type AccessRequestFilter,
  announceAccess,
  dueAccessRequests,
  findAccessRequests,
  insertAccessRequest,
  lockAccessRequest,
  readAccessRequest,
  updateAccessRequest,
} from "../../adapters/store/access-requests.ts";
import type { Ledger } from "../../adapters/store/ledger.ts";
import type { NewRecord, Receipt } from "../../adapters/store/ledger-batch.ts";
import type { Store } from "../../adapters/store/store.ts";
import type { AccessLockRow } from "../../adapters/store/tables.ts";
import type { Instant } from "../../core/host.ts";
import { accessRecords, lockRecord } from "./access-records.ts";
import { requestOf, rowOf } from "./request-rows.ts";

type Write = (records: readonly NewRecord[]) => Promise<readonly Receipt[]>;

/** Whether a lock holds at a time. */
export const holds = ({ until }: Pick<AccessLockRow, "until">, at: Instant): boolean => until === null || at < until;

/** Requests where they are kept: each step and its records are one transaction. All reject where the database fails. */
export class RequestStore {
  readonly #store: Store;
  readonly #ledger: Ledger;

  constructor(store: Store, ledger: Ledger) {
    this.#store = store;
    this.#ledger = ledger;
  }

  async get(id: string): Promise<AccessRequest | undefined> {
    const row = await readAccessRequest(this.#store.reading, id);
    return row && requestOf(row);
  }

  async find(filter: AccessRequestFilter): Promise<readonly AccessRequest[]> {
    return (await findAccessRequests(this.#store.reading, filter)).map(requestOf);
  }

  /** Those that time will change. */
  async due(): Promise<readonly AccessRequest[]> {
    return (await dueAccessRequests(this.#store.reading)).map(requestOf);
  }

  /** Keeps a new request. */
  async create(request: AccessRequest, events: readonly AccessEvent[]): Promise<void> {
    await this.#ledger.transact(async (on, write) => {
      const changed = await recorded(write, accessRecords(request, events));
      await insertAccessRequest(on, rowOf(request, changed));
      await announceAccess(on, this.#store.engine);
    });
  }

  /**
   * Steps a request as it is at this moment; `at` says the time once nobody else can step it. Undefined: there is none.
   * Persons who are locked out neither use nor decide anything.
   */
  step(id: string, command: Command, at: (request: AccessRequest) => Instant): Promise<Step | undefined> {
    const { engine } = this.#store;
    return this.#ledger.transact(async (on, write) => {
      const row = await lockAccessRequest(on, engine, id);
      if (row === undefined) return undefined;
      const request = requestOf(row);
      const now = at(request);
      const actor = actorOf(command, request);
      const lock = actor === undefined ? undefined : await readAccessLock(on, actor.human);
      if (lock !== undefined && holds(lock, Math.max(now, request.seen))) return locked(request, lock);
      const result = step(request, command, now);
      if (result.events.length === 0) return result;
      const changed = await recorded(write, accessRecords(result.request, result.events));
      await updateAccessRequest(on, rowOf(result.request, changed), request.revision);
      await announceAccess(on, engine);
      return result;
    });
  }

  /** Locks somebody out, or with `until` at or before `at` lets them in again. */
  async setLock(human: string, by: Person, why: string, at: Instant, until: Instant | undefined, cluster: string): Promise<void> {
    await this.#ledger.transact(async (on, write) => {
      const lifted = until !== undefined && until <= at;
      const record = lifted
        ? lockRecord("access.unlocked", cluster, human, by, at)
        : lockRecord("access.locked", cluster, human, by, at, { why, until });
      const changed = await recorded(write, [record]);
      await writeAccessLock(on, { human, locked_by: by.user, why, at, until: until ?? null, changed });
      await announceAccess(on, this.#store.engine);
    });
  }
}

/** Whose lock forbids the command. */
function actorOf(command: Command, request: AccessRequest): Person | undefined {
  if (command.type === "approve" || command.type === "deny" || command.type === "review") return command.by;
  return command.type === "consume" || command.type === "sent" ? request.requester : undefined;
}

function locked(request: AccessRequest, { why }: AccessLockRow): Step {
  return { request, events: [], refused: { code: "ACCESS_LOCKED", message: `This person is locked out: ${why}.` } };
}

/** The sequence number of the last of these records. */
async function recorded(write: Write, records: readonly NewRecord[]): Promise<number> {
  const last = (await write(records)).at(-1);
  if (last === undefined) throw new Error("the ledger took no record of a change of access");
  return last.seq;
}
