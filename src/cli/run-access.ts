import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../core/json.ts";
import { type Answered, accessClient, objectOf } from "./access-client.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { columns, writeAnswer } from "./rbac-table.ts";
import type { OutputFlags } from "./run-request.ts";
import { DrawingOnly, drawingEnd } from "./terminal-output.ts";

export interface LockFlags extends OutputFlags {
  readonly reason: string;
  /** Milliseconds. */
  readonly for?: number;
}

export interface RecordingsFlags extends OutputFlags {
  readonly namespace?: string;
  readonly play?: string;
  readonly save?: string;
  readonly speed: number;
}

const root = "/api/v1/access";

export async function lockPerson(human: string, flags: LockFlags, context: CommandContext): Promise<void> {
  const ask = await accessClient(flags, context);
  const until = flags.for === undefined ? {} : { until: context.io.now() + flags.for };
  const answer = await ask({ method: "POST", path: `${root}/locks`, body: { human, why: flags.reason, ...until } });
  if (answer.ok) context.io.err(`${human} has no access from now on; what was open is cut\n`);
  else refused(answer, context);
}

export async function unlockPerson(human: string, flags: OutputFlags, context: CommandContext): Promise<void> {
  const ask = await accessClient(flags, context);
  const answer = await ask({ method: "DELETE", path: `${root}/locks/${encodeURIComponent(human)}` });
  if (answer.ok) context.io.err(`${human} is no longer locked\n`);
  else refused(answer, context);
}

export const listLocks = (flags: OutputFlags, context: CommandContext): Promise<void> =>
  list(`${root}/locks`, ["human", "by", "at", "until", "why"], flags, context);

export const listDeadLetters = (flags: OutputFlags, context: CommandContext): Promise<void> =>
  list(`${root}/notifications?state=dead`, ["id", "request", "event", "target", "attempts", "problem"], flags, context);

export async function sendAgain(id: string, flags: OutputFlags, context: CommandContext): Promise<void> {
  const ask = await accessClient(flags, context);
  const answer = await ask({ method: "POST", path: `${root}/notifications/${encodeURIComponent(id)}/retry`, body: {} });
  if (answer.ok) context.io.err(`${id} is sent again\n`);
  else refused(answer, context);
}

/** Lists sessions; plays one in this terminal, or keeps it as a file. */
export async function recordings(flags: RecordingsFlags, context: CommandContext): Promise<void> {
  const { namespace, play, save } = flags;
  if (play === undefined && save !== undefined) throw new UsageError("name the recording: --play ID --save FILE");
  if (play === undefined) {
    const query = namespace === undefined ? "" : `?namespace=${encodeURIComponent(namespace)}`;
    return list(`${root}/recordings${query}`, ["id", "kind", "user", "namespace", "pod", "started", "command"], flags, context);
  }
  const ask = await accessClient(flags, context);
  const answer = await ask({ method: "GET", path: `${root}/recordings/${encodeURIComponent(play)}/cast`, timeout: 120_000 });
  if (!answer.ok) return refused(answer, context);
  const text = castText(answer.body);
  if (save === undefined) await playCast(text, flags.speed, context);
  else writeFileSync(save, text, { mode: 0o600 });
}

function refused({ message }: Extract<Answered, { ok: false }>, context: CommandContext): void {
  context.io.err(`castellan: ${message}\n`);
  context.exit(exitCodes.findings);
}

async function list(path: string, shown: readonly string[], flags: OutputFlags, context: CommandContext): Promise<void> {
  const ask = await accessClient(flags, context);
  const answer = await ask({ method: "GET", path });
  if (!answer.ok) return refused(answer, context);
  const items = member(objectOf(answer.body), "items");
  const rows = isArray(items) ? items.filter(isObject) : [];
  const text = () =>
    rows.length === 0
      ? "There are none.\n"
      : columns(
          shown.map((name) => name.toUpperCase()),
          rows.map((row) => shown.map((name) => cell(name, row))),
          context.io,
        );
  writeAnswer({ items: rows }, text, flags.output, context);
}

function cell(name: string, row: JsonObject): string {
  const value = row[name];
  if (typeof value === "number" && ["at", "until", "started"].includes(name)) return new Date(value).toISOString().slice(0, 19);
  const text = isArray(value) ? value.join(" ") : String(value ?? "");
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, " ");
}

/** One line is read as JSON by the client; several are not. */
const castText = (body: JsonValue): string => (typeof body === "string" ? body : `${JSON.stringify(body)}\n`);

const longestPause = 2000;

/** asciicast v2: https://docs.asciinema.org/manual/asciicast/v2. Pauses are cut, as nobody waits for them twice. */
async function playCast(text: string, speed: number, { io }: CommandContext): Promise<void> {
  const [, ...lines] = text.split("\n").filter((line) => line !== "");
  const filter = new DrawingOnly();
  let last = 0;
  for (const line of lines) {
    const event: JsonValue = JSON.parse(line);
    const [time, kind, data] = isArray(event) ? event : [];
    if (typeof time !== "number" || kind !== "o") continue;
    const pause = Math.min(longestPause, ((time - last) * 1000) / speed);
    last = time;
    if (pause > 1) await sleep(pause);
    io.out(filter.push(asString(data) ?? ""));
  }
  io.out(drawingEnd);
}
