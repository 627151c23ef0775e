import { pino } from "pino";
import type { AnsweredRequest } from "../server/api/api.ts";
import type { Io } from "./io.ts";

export const logFormats = ["text", "json"] as const;
export type LogFormat = (typeof logFormats)[number];

/** What a server tells whoever runs it, on standard error. Secrets are in none of it: paths come without their queries. */
export interface ServerLog {
  /** Something failed; `about` names the part, or the request by its id. */
  trouble(error: unknown, about?: { readonly part?: string; readonly request?: string }): void;
  say(text: string): void;
  /** One line a request in the format for programs; people are not told of each. */
  answered(request: AnsweredRequest): void;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function serverLog(format: LogFormat, io: Pick<Io, "err" | "now">): ServerLog {
  if (format === "text") {
    return {
      trouble: (error, { request } = {}) =>
        io.err(`castellan: ${request === undefined ? "" : `${request}: `}${messageOf(error)}\n`),
      say: (text) => io.err(`${text}\n`),
      answered: () => {},
    };
  }
  const timestamp = () => `,"time":"${new Date(io.now()).toISOString()}"`;
  const log = pino({ base: { program: "castellan" }, timestamp }, { write: (line: string) => io.err(line) });
  return {
    trouble: (error, about = {}) => log.error({ ...about, code: codeOf(error) }, messageOf(error)),
    say: (text) => log.info(text),
    answered: (request) => log.info(request, "answered"),
  };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
