import { access, appendFile, copyFile, mkdir, mkdtemp, open, readFile, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { checkpointKeyText } from "../../ledger/checkpoint.ts";
import { sha256 } from "./ledger-hashes.ts";
import { keysOf } from "./signing-key.ts";
import { databaseName, sealSqlite } from "./sqlite.ts";

const keysName = "ledger-keys.txt";

/** A backup cannot be made or used; `next` says what to do. */
export class BackupFailure extends Error {
  readonly code: "LEDGER_KEYS_MISSING" | "BACKUP_EXISTS" | "BACKUP_INCOMPLETE";
  readonly next: string;
  constructor(code: BackupFailure["code"], message: string, next: string) {
    super(message);
    this.code = code;
    this.next = next;
  }
}

/** Rejects with `LEDGER_KEYS_MISSING` where the directory has no public key: a copy without them proves nothing. */
export async function requireKeys(directory: string, next: string): Promise<void> {
  if ((await keysOf(directory)).length > 0) return;
  throw new BackupFailure("LEDGER_KEYS_MISSING", `there is no public key of the ledger in ${join(directory, keysName)}`, next);
}

/** Rejects with `BACKUP_INCOMPLETE` where the directory holds no whole backup: its database comes last. */
export async function requireBackup(directory: string): Promise<void> {
  if (!(await isThere(join(directory, databaseName)))) throw incompleteBackup(directory, `there is no ${databaseName}`);
  await requireKeys(directory, `Put the ${keysName} of the server's data directory into it.`);
}

export const incompleteBackup = (directory: string, why: string): BackupFailure =>
  new BackupFailure("BACKUP_INCOMPLETE", `${directory} holds no whole backup: ${why}`, "Name another, or make it again.");

/** The private key stays where it is: a backup proves, it does not sign. */
export const copyKeys = (from: string, to: string): Promise<void> => copyFile(join(from, keysName), join(to, keysName));

/** Adds the public keys of one directory to those that another has: what they signed is verifiable there from then on. */
export async function addKeys(from: string, to: string): Promise<void> {
  const file = join(to, keysName);
  const known = await readFile(file, "utf8").catch(() => "");
  const lines = new Set(known.split("\n"));
  const added = (await keysOf(from)).map((key) => checkpointKeyText(sha256, key)).filter((line) => !lines.has(line));
  if (added.length === 0) return;
  await mkdir(to, { recursive: true, mode: 0o700 });
  const gap = known === "" || known.endsWith("\n") ? "" : "\n";
  await appendFile(file, `${gap}${added.join("\n")}\n`, { mode: 0o644 });
}

/**
 * Makes a backup in `directory`. `fill` puts a database and its keys into a directory beside it, and closes them; only then they are put
 * into place, the database last: one that is there is whole. Where it rejects nothing is left. Rejects with `BACKUP_EXISTS`.
 */
export async function makeBackup<T>(directory: string, fill: (partial: string) => Promise<T>): Promise<T> {
  const target = resolve(directory);
  if (await isThere(join(target, databaseName)))
    throw new BackupFailure("BACKUP_EXISTS", `${directory} holds a database already`, "Name a new directory.");
  const made = await mkdir(target, { recursive: true, mode: 0o700 });
  // Within it and not beside it: the directory may be where another disk is mounted.
  const partial = await mkdtemp(join(target, ".partial-"));
  try {
    const filled = await fill(partial);
    sealSqlite(partial);
    await synced(join(partial, keysName));
    for (const name of [keysName, databaseName]) await rename(join(partial, name), join(target, name));
    await rm(partial, { recursive: true });
    await synced(target);
    return filled;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (made !== undefined) await removeEmpty(target, made);
    throw error;
  }
}

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/** Removes the directories from `last` up to `first`; one in which there is something stays. */
async function removeEmpty(last: string, first: string): Promise<void> {
  try {
    for (let at = last; ; at = dirname(at)) {
      await rmdir(at);
      if (at === resolve(first)) return;
    }
  } catch {
    // Somebody else put something there meanwhile.
  }
}

async function synced(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
