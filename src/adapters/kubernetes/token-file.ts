import { readFileSync } from "node:fs";
import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Whoever replaces a token does so long before it ends. */
const freshMilliseconds = 60_000;

/** A token in a file that somebody replaces from time to time. */
export class TokenFile {
  readonly #file: string;
  #token: string;
  #read = performance.now();

  /** Throws where the file cannot be read. */
  constructor(file: string) {
    this.#file = file;
    this.#token = readToken(file);
  }

  get token(): string {
    if (performance.now() - this.#read > freshMilliseconds) this.readAgain();
    return this.#token;
  }

  /** At once: the one in hand was refused. */
  readAgain(): void {
    this.#read = performance.now();
    try {
      this.#token = readToken(this.#file);
    } catch {
      // Being replaced: the one in hand may be good for a while.
    }
  }
}

export const readToken = (file: string): string => readFileSync(file, "utf8").trim();

/** Replaces the token at once; its owner alone may read it. */
export async function writeToken(file: string, token: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${process.pid}.tmp`;
  await writeFile(fresh, `${token}\n`, { mode: 0o600 });
  // One that was there has kept its own mode.
  await chmod(fresh, 0o600);
  await rename(fresh, file);
}
