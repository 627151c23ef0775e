import { webPages } from "../adapters/files/web-pages.ts";
import { type Api, createApi } from "../server/api/api.ts";
import { addRolloutRoutes } from "../server/api/rollout-routes.ts";
import { addRoutes, type ConsoleData } from "../server/api/routes.ts";
import { Sessions } from "../server/api/session.ts";
import type { Rollout } from "../services/rollout/rollout.ts";
import type { CommandContext } from "./command.ts";
import { addressOf } from "./serve-webhook.ts";

export interface ServingConsole {
  /** With a login that works once. */
  readonly url: string;
  /** Where it listens, and a token of the operator for our own commands. */
  readonly address: string;
  readonly token: string;
  close(): Promise<void>;
}

export interface ConsoleParts {
  readonly rollout: Rollout;
  readonly metrics: () => Promise<string>;
  readonly waitingFor: () => readonly string[];
}

const operator = { name: "operator", groups: ["castellan:admin"] };
const dayMilliseconds = 86_400_000;

/** The API and the console on one loopback listener; who has the printed address is the operator of this machine. */
export async function serveConsole(
  listen: string,
  data: Omit<ConsoleData, "sessions">,
  parts: ConsoleParts,
  { io, version }: CommandContext,
): Promise<ServingConsole> {
  const { host, port } = addressOf(listen);
  const sessions = new Sessions({ hosts: [host, "localhost", "127.0.0.1"], now: io.now, lifetime: dayMilliseconds });
  const api: Api = await createApi({
    version,
    pages: webPages(),
    sessions,
    waitingFor: parts.waitingFor,
    metrics: parts.metrics,
    onError: (error, request) => io.err(`castellan: ${request}: ${error instanceof Error ? error.message : String(error)}\n`),
  });
  addRoutes(api, { ...data, sessions });
  addRolloutRoutes(api, sessions, parts.rollout, io.now);
  const address = await api.listen({ host, port });
  const login = sessions.issueLogin(operator);
  return { url: `${address}/login?token=${login}`, address, token: sessions.issueToken(operator), close: () => api.close() };
}
