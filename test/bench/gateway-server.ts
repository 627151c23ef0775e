import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { clusterAccess } from "../../src/adapters/kubernetes/kubeconfig.ts";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import { GatewayStand, must, person } from "../e2e/gateway-stand.ts";

/**
 * Run by gateway.ts in a process of its own, with a real ledger: prints its port and authority as JSON, and after each line on
 * standard input its CPU time and memory. `lock` cuts the person's streams.
 */
const [kubeconfig = "", user = ""] = process.argv.slice(2);
const directory = await mkdtemp(join(tmpdir(), "castellan-bench-"));
const store = await openSqlite(directory);
const ledger = new Ledger(store, await openSigner(directory, "castellan/ledger"), Date.now);
const stand = new GatewayStand({ kubectl: "" }, ledger);
stand.people.set("ada", person("ada", ["team"]));
await stand.start(must(clusterAccess({ kubeconfig, context: user, env: {}, home: "/" })), {
  limits: { streamsPerPerson: 10_000 },
});
console.log(JSON.stringify({ port: stand.port, authority: stand.authority }));
createInterface({ input: process.stdin }).on("line", (word) => {
  if (word === "lock") stand.desk.lockNow("ada");
  if (word === "collect") globalThis.gc?.();
  const { user: own, system } = process.cpuUsage();
  console.log(
    JSON.stringify({ cpu: (own + system) / 1000, rss: process.memoryUsage.rss() / 1e6, streams: stand.streams?.size ?? 0 }),
  );
});
const stop = async () => {
  await stand.stop();
  await ledger.close();
  await store.close();
  await rm(directory, { recursive: true, force: true });
  process.exit(0);
};
process.once("SIGTERM", () => void stop());
