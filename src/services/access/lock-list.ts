import { accessLocksChanged } from "../../adapters/store/access-locks.ts";
import type { Store } from "../../adapters/store/store.ts";
import type { Instant } from "../../core/host.ts";

/** Somebody who has no access for now. */
export interface PersonLock {
  readonly human: string;
  readonly by: string;
  readonly why: string;
  readonly at: Instant;
  readonly until?: Instant | undefined;
}

/** The locks in force, newest first; those that were lifted have an end in the past. */
export async function locksInForce(store: Store, now: Instant): Promise<readonly PersonLock[]> {
  const rows = await accessLocksChanged(store.reading, -1, Number.MAX_SAFE_INTEGER);
  return rows
    .filter(({ until }) => until === null || until > now)
    .map(({ human, locked_by, why, at, until }) => ({ human, by: locked_by, why, at, until: until ?? undefined }))
    .sort((a, b) => b.at - a.at);
}
