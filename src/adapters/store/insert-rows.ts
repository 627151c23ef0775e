import { CompiledQuery, type Transaction } from "kysely";
import type { Engine } from "./store.ts";
import type { Tables } from "./tables.ts";

const columnsOf = {
  ledger_records: {
    seq: "bigint",
    kind: "text",
    at: "bigint",
    recorded: "bigint",
    cluster: "text",
    actor: "text",
    verb: "text",
    api_group: "text",
    resource: "text",
    namespace: "text",
    name: "text",
    outcome: "text",
    key: "text",
    body: "text",
    leaf: "bytea",
  },
  ledger_keys: { key: "text", seq: "bigint" },
} as const;
type BulkTable = keyof typeof columnsOf;

/**
 * Inserts many rows by one short statement: a statement of thousands of parameters costs more to build and to parse than
 * its rows to write. PostgreSQL takes an array for each column, SQLite runs the statement once a row.
 */
export async function insertRows<T extends BulkTable>(
  on: Transaction<Tables>,
  engine: Engine,
  table: T,
  rows: readonly Tables[T][],
): Promise<void> {
  if (rows.length === 0) return;
  const types: { readonly [column: string]: string } = columnsOf[table];
  const columns = Object.keys(types);
  const values = (row: Tables[T]): readonly unknown[] => {
    const cells: { readonly [column: string]: unknown } = { ...row };
    return columns.map((column) => cells[column]);
  };
  const lines = rows.map(values);
  const into = `insert into ${table} (${columns.join(", ")})`;
  const query =
    engine === "sqlite"
      ? CompiledQuery.raw(`${into} values (${columns.map(() => "?").join(", ")})`, [lines])
      : CompiledQuery.raw(
          `${into} select * from unnest(${columns.map((column, i) => `$${i + 1}::${types[column]}[]`).join(", ")})`,
          columns.map((column, i) => lines.map((line) => arrayItem(types[column], line[i]))),
        );
  await on.executeQuery(query);
}

/** The driver takes byte arrays inside lists only as buffers. */
function arrayItem(type: string | undefined, value: unknown): unknown {
  return type === "bytea" && value instanceof Uint8Array ? Buffer.from(value) : value;
}
