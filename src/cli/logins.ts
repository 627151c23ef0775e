import { chmod, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { asString, isObject, type JsonValue, member } from "../core/json.ts";
import { UsageError } from "./command.ts";
import type { Io } from "./io.ts";

export interface Login {
  /** PEM of what vouches for the server; undefined: an authority of the system. */
  readonly certificateAuthority?: string | undefined;
  /** Undefined: the login has ended. */
  readonly refreshToken?: string | undefined;
  /** What the tokens are bound to, PEM; undefined: to nothing. */
  readonly proof?: { readonly certificate: string; readonly key: string } | undefined;
  /** Access tokens by audience; `until` is in milliseconds since the epoch. */
  readonly tokens: { readonly [audience: string]: { readonly token: string; readonly until: number } };
}

export interface Logins {
  /** Where the last login was. */
  readonly current?: string | undefined;
  readonly servers: { readonly [url: string]: Login };
}

type Environment = Pick<Io, "env">;

/** Files of one's own for this program: the user's configuration directory. */
function directoryOf({ env }: Environment): string {
  const base = env["XDG_CONFIG_HOME"] || join(env["HOME"] ?? homedir(), ".config");
  return join(base, "castellan");
}

const loginsFile = (io: Environment): string => join(directoryOf(io), "logins.json");

/** Whoever may read the file may act in one's name. */
const othersMask = 0o077;

/** What `castellan login` left. Throws `UsageError` where others may read it, or it is not ours. */
export async function readLogins(io: Environment): Promise<Logins> {
  const file = loginsFile(io);
  let text: string;
  try {
    const { mode } = await stat(file);
    if (process.platform !== "win32" && (mode & othersMask) !== 0) {
      throw new UsageError(
        `others may read ${file}, which holds your tokens: run chmod 600 on it, or castellan logout and login`,
      );
    }
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return { servers: {} };
    throw error;
  }
  try {
    return loginsOf(JSON.parse(text));
  } catch {
    throw new UsageError(`${file} is damaged: remove it, and run castellan login`);
  }
}

/** Read by hand: kubectl waits for this with each of its commands. Throws where something is not there. */
function loginsOf(file: JsonValue): Logins {
  const servers = entriesOf(member(file, "servers")).map(([url, login]): [string, Login] => {
    const proof = member(login, "proof");
    const tokens = entriesOf(member(login, "tokens")).map(
      ([audience, kept]) => [audience, { token: textOf(kept, "token"), until: Number(member(kept, "until")) }] as const,
    );
    return [
      url,
      {
        certificateAuthority: asString(member(login, "certificateAuthority")),
        refreshToken: asString(member(login, "refreshToken")),
        proof: proof === undefined ? undefined : { certificate: textOf(proof, "certificate"), key: textOf(proof, "key") },
        tokens: Object.fromEntries(tokens),
      },
    ];
  });
  return { current: asString(member(file, "current")), servers: Object.fromEntries(servers) };
}

const entriesOf = (value: JsonValue | undefined): readonly (readonly [string, JsonValue | undefined])[] =>
  isObject(value) ? Object.entries(value) : [];

function textOf(value: JsonValue | undefined, key: string): string {
  const text = asString(member(value, key));
  if (text === undefined) throw new TypeError(`no ${key}`);
  return text;
}

/** Changes the file under a lock: two commands at once must not use one refresh token twice. */
export async function changeLogins<T>(
  io: Environment,
  change: (logins: Logins) => Promise<{ logins: Logins; value: T }>,
): Promise<T> {
  const file = loginsFile(io);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const release = await lock(`${file}.lock`);
  try {
    const { logins, value } = await change(await readLogins(io));
    await writePrivate(file, `${JSON.stringify(logins, null, 2)}\n`);
    return value;
  } finally {
    await release();
  }
}

/** Replaces a file at once with one that only its owner may read. */
export async function writePrivate(file: string, text: string): Promise<void> {
  const fresh = `${file}.${process.pid}.tmp`;
  await writeFile(fresh, text, { mode: 0o600 });
  // One that was there has kept its own mode.
  await chmod(fresh, 0o600);
  await rename(fresh, file);
}

/** A lock that is older was left by a process that has died. */
const staleMilliseconds = 30_000;
const pollMilliseconds = 50;

async function lock(file: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      await (await open(file, "wx", 0o600)).close();
      return () => rm(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const since = await stat(file).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (since > staleMilliseconds) await rm(file, { force: true });
    else await sleep(pollMilliseconds);
  }
}
