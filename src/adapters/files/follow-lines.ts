import { open, stat } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";

export interface FollowOptions {
  /** Complete lines, as they come. */
  readonly onLines: (lines: readonly string[]) => void;
  readonly onTrouble: (error: unknown) => void;
  /** Milliseconds between looks at the file. */
  readonly every?: number;
}

const chunkBytes = 1 << 20;

/**
 * Reads a log from its beginning and then what is added to it, through rotation (another file of that name) and truncation.
 * A file that is not there is waited for; that is told once.
 */
export class FollowedFile {
  readonly #path: string;
  readonly #options: FollowOptions;
  #inode = 0;
  #offset = 0;
  #rest = "";
  #decoder = new StringDecoder("utf8");
  #missing = false;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(path: string, options: FollowOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Resolves when what is there has been read. */
  async start(): Promise<void> {
    this.#reading = this.#look().catch(this.#options.onTrouble);
    await this.#reading;
    if (!this.#stopped) this.#timer = setTimeout(() => void this.start(), this.#options.every ?? 500);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#reading;
  }

  async #look(): Promise<void> {
    const found = await stat(this.#path).catch(() => undefined);
    if (found === undefined) {
      if (!this.#missing) this.#options.onTrouble(new Error(`${this.#path}: there is no such file yet; it is waited for`));
      this.#missing = true;
      return;
    }
    this.#missing = false;
    if (found.ino !== this.#inode || found.size < this.#offset) this.#restart(found.ino);
    if (found.size > this.#offset) await this.#read();
  }

  #restart(inode: number): void {
    this.#inode = inode;
    this.#offset = 0;
    this.#rest = "";
    this.#decoder = new StringDecoder("utf8");
  }

  async #read(): Promise<void> {
    const file = await open(this.#path);
    try {
      const buffer = Buffer.allocUnsafe(chunkBytes);
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, chunkBytes, this.#offset);
        if (bytesRead === 0 || this.#stopped) return;
        this.#offset += bytesRead;
        const lines = (this.#rest + this.#decoder.write(buffer.subarray(0, bytesRead))).split("\n");
        this.#rest = lines.pop() ?? "";
        if (lines.length > 0) this.#options.onLines(lines);
      }
    } finally {
      await file.close();
    }
  }
}
