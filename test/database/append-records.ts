import { Ledger } from "../../src/adapters/store/ledger.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";

/** A process that appends records until it is killed: `node append-records.ts <data directory>`, to DATABASE_URL if that is set. */
const data = process.argv[2] ?? "";
const url = process.env["DATABASE_URL"];
const store = await (url === undefined ? openSqlite(data) : openPostgres(url));
const ledger = new Ledger(store, await openSigner(data, "castellan/ledger"), Date.now);
for (let part = 0; ; part++) {
  const records = Array.from({ length: 50 }, (_, n) => ({
    kind: "audit.event" as const,
    at: Date.now(),
    cluster: "test",
    key: `${part}-${n}`,
    data: { n, text: "x".repeat(300) },
  }));
  await ledger.append(records);
}
