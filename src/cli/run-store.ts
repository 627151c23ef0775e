import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { copyStore, StoreNotEmpty } from "../adapters/store/copy.ts";
import { verifyStoredLedger } from "../adapters/store/ledger-verification.ts";
import { pruneLedger } from "../adapters/store/retention.ts";
import { keysOf, verifyEd25519 } from "../adapters/store/signing-key.ts";
import type { Store } from "../adapters/store/store.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { openLedger, openStore, readStore } from "./open-store.ts";

export interface CopyFlags {
  readonly data: string;
}

export interface PruneFlags extends CopyFlags {
  readonly ledgerKey?: string;
  readonly olderThan: string;
}

const day = 86_400_000;
const keysFile = "ledger-keys.txt";

export async function runBackup(directory: string, flags: CopyFlags, context: CommandContext): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const from = await readStore(flags.data, context.io.env["DATABASE_URL"]);
  const to = await openStore(directory, undefined);
  // The private key stays where it is: a backup proves, it does not sign.
  await copyFile(join(flags.data, keysFile), join(directory, keysFile));
  await copyVerified(from, to, flags.data, context);
}

export async function runRestore(directory: string, flags: CopyFlags, context: CommandContext): Promise<void> {
  const from = await readStore(directory, undefined);
  const to = await openStore(flags.data, context.io.env["DATABASE_URL"]);
  await copyVerified(from, to, directory, context);
  // What older keys signed must stay verifiable beside what a new key will sign.
  await copyFile(join(directory, keysFile), join(flags.data, keysFile));
  context.io.out("Put ledger-key.pem back beside it to go on with the same key; without it a new one is made.\n");
}

export async function runCopy(flags: CopyFlags & { readonly to: string }, context: CommandContext): Promise<void> {
  const from = await readStore(flags.data, undefined);
  await copyVerified(from, await openStore("", flags.to), flags.data, context);
}

async function copyVerified(from: Store, to: Store, keys: string, { io, exit }: CommandContext): Promise<void> {
  try {
    const rows = await copyStore(from, to);
    const { size, problems } = await verifyStoredLedger(to.reading, await keysOf(keys), verifyEd25519);
    io.out(`${rows} rows copied to ${to.location}: ${size} records, ${problems.length === 0 ? "verified" : "NOT verified"}\n`);
    for (const { message } of problems) io.err(`castellan: ${message}\n`);
    if (problems.length > 0) exit(exitCodes.findings);
  } catch (error) {
    if (error instanceof StoreNotEmpty) throw new UsageError(`${error.message}; name an empty one`);
    throw error;
  } finally {
    await from.close();
    await to.close();
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
