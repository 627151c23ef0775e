import { availableParallelism } from "node:os";
import type { CheckpointKey, VerifyEd25519 } from "../../ledger/checkpoint.ts";
import type { LedgerVerifier } from "../../ledger/verify.ts";
import type { PageCheck } from "./ledger-page.ts";
import { verifyStoredLedger } from "./ledger-verification.ts";
import { SqliteThread } from "./sqlite-dialect.ts";
import type { Store } from "./store.ts";

/** As `verifyStoredLedger`; of an embedded database several threads check the records where they read them. */
export async function verifyStore(
  store: Store,
  keys: readonly CheckpointKey[],
  verifySignature: VerifyEd25519,
  witnessed: readonly string[] = [],
): Promise<LedgerVerifier> {
  if (store.engine === "postgres") return verifyStoredLedger(store.reading, keys, verifySignature, witnessed);
  const threads = await checkingThreads(store.location);
  try {
    return await verifyStoredLedger(store.reading, keys, verifySignature, witnessed, threads.check);
  } finally {
    await threads.close();
  }
}

/** As many as there are processors, up to four. */
async function checkingThreads(file: string): Promise<{ readonly check: PageCheck; close(): Promise<void> }> {
  const count = Math.min(availableParallelism(), 4);
  const threads = await Promise.all(
    Array.from({ length: count }, () => SqliteThread.open({ file, lock: undefined, moved: undefined })),
  );
  let next = 0;
  return {
    check: (from, to) => {
      const thread = threads[next++ % threads.length];
      return thread === undefined ? Promise.reject(new Error("there is no thread")) : thread.check(from, to);
    },
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}
