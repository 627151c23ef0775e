import { Ledger } from "../../src/adapters/store/ledger.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import { isArray } from "../../src/core/json.ts";
import { jsonBatch } from "../../src/server/webhook/batches.ts";
import { listenForReviews } from "../../src/server/webhook/webhook.ts";
import { ingestEvents } from "../../src/services/audit/ingest.ts";
import { ServingCertificates } from "../../src/services/live/serving-certificates.ts";

// The receiver of audit events as `castellan serve` runs it: `ledger-server.ts DIRECTORY [POSTGRES-URL]`.
const [directory = "", url] = process.argv.slice(2);
const store = url === undefined ? await openSqlite(directory) : await openPostgres(url);
const ledger = new Ledger(store, await openSigner(directory, "bench/ledger"), Date.now);
const { server } = await new ServingCertificates(directory, { dns: ["localhost"], ips: ["127.0.0.1"] }).current(Date.now());
const webhook = await listenForReviews({
  host: "127.0.0.1",
  port: 0,
  identity: server,
  callers: { open: (path) => path, onRefused: () => {} },
  onError: (error) => console.error(error),
  batches: {
    isAuthorized: () => true,
    handlers: new Map([
      [
        "/audit",
        jsonBatch(async (events, cluster) => {
          await ingestEvents(ledger, isArray(events) ? events : [events], cluster);
        }),
      ],
    ]),
  },
  handle: async () => undefined,
});
async function stop(): Promise<void> {
  await webhook.close();
  await ledger.close();
  await store.close();
  const { user, system } = process.cpuUsage();
  process.stdout.write(`${JSON.stringify({ cpu: user + system, memory: process.resourceUsage().maxRSS * 1024 })}\n`);
}

process.on("SIGTERM", () => void stop());
process.stdout.write(`${webhook.port}\n`);
