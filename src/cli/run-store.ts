import {
  addKeys,
  BackupFailure,
  copyKeys,
  incompleteBackup,
  makeBackup,
  requireBackup,
  requireKeys,
} from "../adapters/store/backup-directory.ts";
import { copyStore, ledgerSize, requireEmpty, StoreNotEmpty } from "../adapters/store/copy.ts";
import { verifyStoredLedger } from "../adapters/store/ledger-verification.ts";
import { pruneLedger } from "../adapters/store/retention.ts";
import { keysOf, verifyEd25519 } from "../adapters/store/signing-key.ts";
import type { Store } from "../adapters/store/store.ts";
import type { CheckpointKey } from "../ledger/checkpoint.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { openLedger, openStore, readBackup, readStore } from "./open-store.ts";

export interface CopyFlags {
  readonly data: string;
}

export interface PruneFlags extends CopyFlags {
  readonly ledgerKey?: string;
  readonly olderThan: string;
}

const day = 86_400_000;

export async function runBackup(directory: string, { data }: CopyFlags, context: CommandContext): Promise<void> {
  const { io } = context;
  await orUsageError(async () => {
    await requireKeys(data, "Name the server's data directory with --data, or copy its ledger-keys.txt there.");
    await closing(readStore(data, io.env["DATABASE_URL"]), async (from) => {
      const copied = await makeBackup(directory, (partial) =>
        closing(openStore(partial, undefined), (to) =>
          copyVerified(from, to, async () => {
            // After the records: a server that was given another key meanwhile has added it.
            await copyKeys(data, partial);
            return keysOf(partial);
          }),
        ),
      );
      say(copied, directory, context);
    });
  });
}

export async function runRestore(directory: string, { data }: CopyFlags, context: CommandContext): Promise<void> {
  const { io } = context;
  await orUsageError(async () => {
    await requireBackup(directory);
    await closing(readBackup(directory, data), async (from) => {
      if ((await ledgerSize(from)) === 0) throw incompleteBackup(directory, "its ledger is empty");
      await closing(openStore(data, io.env["DATABASE_URL"]), async (to) => {
        await requireEmpty(to);
        // Before the records, which nobody could verify without. What older keys signed stays verifiable beside what a new one signs.
        await addKeys(directory, data);
        say(await copyVerified(from, to, () => keysOf(data)), to.location, context);
      });
    });
  });
  io.out("Put ledger-key.pem back beside it to go on with the same key; without it a new one is made.\n");
}

export async function runCopy({ data, to: url }: CopyFlags & { readonly to: string }, context: CommandContext): Promise<void> {
  await orUsageError(() =>
    closing(readStore(data, undefined), (from) =>
      closing(openStore("", url), async (to) => say(await copyVerified(from, to, () => keysOf(data)), to.location, context)),
    ),
  );
}

interface Copied {
  readonly rows: number;
  readonly size: number;
  readonly problems: readonly { readonly message: string }[];
}

async function copyVerified(from: Store, to: Store, keys: () => Promise<readonly CheckpointKey[]>): Promise<Copied> {
  const rows = await copyStore(from, to);
  const { size, problems } = await verifyStoredLedger(to.reading, await keys(), verifyEd25519);
  return { rows, size, problems };
}

function say({ rows, size, problems }: Copied, location: string, { io, exit }: CommandContext): void {
  io.out(`${rows} rows copied to ${location}: ${size} records, ${problems.length === 0 ? "verified" : "NOT verified"}\n`);
  for (const { message } of problems) io.err(`castellan: ${message}\n`);
  if (problems.length > 0) exit(exitCodes.findings);
}

/** The store is closed however the work ends. */
async function closing<T>(opening: Promise<Store>, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await opening;
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

async function orUsageError(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof StoreNotEmpty) throw new UsageError(`${error.code}: ${error.message}. Name an empty one.`);
    if (error instanceof BackupFailure) throw new UsageError(`${error.code}: ${error.message}. ${error.next}`);
    throw error;
  }
}

export async function runPrune(flags: PruneFlags, context: CommandContext): Promise<void> {
  const { io } = context;
  const days = Number(/^(\d+)d$/.exec(flags.olderThan)?.[1]);
  if (!(days > 0)) throw new UsageError(`"${flags.olderThan}" is no duration in days: write 180d`);
  const store = await openStore(flags.data, io.env["DATABASE_URL"]);
  try {
    const ledger = await openLedger(store, flags.data, io.now, flags.ledgerKey);
    const { removed, first } = await pruneLedger(store, ledger, io.now() - days * day, io.now());
    await ledger.close();
    io.out(`${removed} records removed; the first that is left is ${first}\n`);
  } finally {
    await store.close();
  }
}
