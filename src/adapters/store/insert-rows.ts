import { CompiledQuery, type Transaction } from "kysely";
import type { Engine, Statement } from "./store.ts";
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
  ledger_tiles: { level: "bigint", idx: "bigint", hash: "bytea" },
} as const;
type BulkTable = keyof typeof columnsOf;

/** A statement of SQLite that inserts one row in each run. */
export function runsOf<T extends BulkTable>(table: T, rows: readonly Tables[T][]): Statement {
  const columns = Object.keys(columnsOf[table]);
  const sql = `insert into ${table} (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`;
  return { sql, runs: rows.map((row) => cellsOf(row, columns)) };
}

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
  await on.executeQuery(engine === "sqlite" ? runsQuery(runsOf(table, rows)) : arraysQuery(table, rows));
}

const runsQuery = ({ sql, runs }: Statement) => CompiledQuery.raw(sql, [runs]);

function arraysQuery<T extends BulkTable>(table: T, rows: readonly Tables[T][]): CompiledQuery {
  const types: { readonly [column: string]: string } = columnsOf[table];
  const columns = Object.keys(types);
  const lines = rows.map((row) => cellsOf(row, columns));
  const arrays = columns.map((column, i) => `$${i + 1}::${types[column]}[]`);
  return CompiledQuery.raw(
    `insert into ${table} (${columns.join(", ")}) select * from unnest(${arrays.join(", ")})`,
    columns.map((column, i) => lines.map((line) => arrayItem(types[column], line[i]))),
  );
}

type Cell = string | number | null | Uint8Array;

function cellsOf(row: Tables[BulkTable], columns: readonly string[]): readonly Cell[] {
  const cells: { readonly [column: string]: Cell } = { ...row };
  return columns.map((column) => cells[column] ?? null);
}

/** The driver takes byte arrays inside lists only as buffers. */
function arrayItem(type: string | undefined, value: Cell | undefined): unknown {
  return type === "bytea" && value instanceof Uint8Array ? Buffer.from(value) : value;
}
