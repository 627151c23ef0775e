import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";

const pauses = [100, 250, 500, 1000] as const;

/**
 * Listens on a connection of its own, which is made anew whenever it is lost. Tells after each (re)connection too. Nobody may
 * rely on hearing everything: a connection may be dead for a while before that shows.
 */
export function listenOn(url: string, channel: string, told: () => void): () => Promise<void> {
  const stop = new AbortController();
  const running = run(url, channel, told, stop.signal);
  return async () => {
    stop.abort();
    await running;
  };
}

async function run(url: string, channel: string, told: () => void, stop: AbortSignal): Promise<void> {
  for (let failures = 0; !stop.aborted; ) {
    const client = new pg.Client({
      connectionString: url,
      application_name: "castellan-listen",
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      connectionTimeoutMillis: 5_000,
    });
    const lost = new Promise<void>((resolve) => {
      client.on("error", () => resolve());
      client.on("end", () => resolve());
      stop.addEventListener("abort", () => resolve(), { once: true });
    });
    try {
      await client.connect();
      client.on("notification", () => told());
      await client.query(`listen ${client.escapeIdentifier(channel)}`);
      failures = 0;
      told();
      await lost;
    } catch {
      // The database is away; it is asked again below.
    }
    await client.end().catch(() => {});
    if (stop.aborted) return;
    await delay(pauses[Math.min(failures++, pauses.length - 1)], undefined, { signal: stop }).catch(() => {});
  }
}
