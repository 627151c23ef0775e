import { chmod, copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { databaseName, openSqlite, readSqlite } from "./sqlite.ts";
import { type Store, StoreUnavailable } from "./store.ts";

/**
 * Opens the database of a backup to read. One that an older version made is brought up to date first: in a copy within the directory
 * `scratch`, which is gone when the store is closed; the backup stays as it is. Rejects with `StoreUnavailable`.
 */
export async function openBackup(directory: string, scratch: string): Promise<Store> {
  try {
    return await readSqlite(directory);
  } catch (error) {
    if (!(error instanceof StoreUnavailable && error.code === "STORE_OLDER")) throw error;
  }
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  const copy = await mkdtemp(join(scratch, ".restore-"));
  const remove = () => rm(copy, { recursive: true, force: true });
  try {
    const file = join(copy, databaseName);
    await copyFile(join(directory, databaseName), file);
    // A backup may be kept where nobody can write to it.
    await chmod(file, 0o600);
    const store = await openSqlite(copy);
    const close = async () => {
      await store.close();
      await remove();
    };
    return { ...store, close };
  } catch (error) {
    await remove();
    throw error;
  }
}
