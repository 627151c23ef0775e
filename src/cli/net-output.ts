import type { NetworkTable } from "../core/network-graph.ts";
import { csvTable, jsonTable, markdownTable, textTable } from "../report/network-table.ts";
import type { CommandContext } from "./command.ts";
import { wantsColor } from "./io.ts";

export const tableFormats = ["table", "json", "csv", "md"] as const;
export type TableFormat = (typeof tableFormats)[number];

interface TableAnswer {
  readonly table: NetworkTable;
  /** Lines under the table, for people. */
  readonly notes?: readonly string[];
  /** For programs; the table's rows as objects unless told. */
  readonly json?: object;
  /** Instead of a table without rows. */
  readonly nothing?: string;
}

/** The same answer for people, programs, spreadsheets and pull requests. */
export function writeTable({ table, notes = [], json, nothing }: TableAnswer, format: TableFormat, { io }: CommandContext): void {
  const isEmpty = table.rows.length === 0 && nothing !== undefined;
  switch (format) {
    case "json":
      io.out(`${JSON.stringify(json ?? jsonTable(table), null, 2)}\n`);
      return;
    case "csv":
      io.out(csvTable(table));
      return;
    case "md":
      io.out(isEmpty ? `${nothing}\n` : markdownTable(table));
      if (notes.length > 0) io.out(`\n${notes.map((note) => `- ${note}\n`).join("")}`);
      return;
    case "table":
      io.out(isEmpty ? `${nothing}\n` : textTable(table, wantsColor(io)));
      if (notes.length > 0) io.out(`\n${notes.map((note) => `${note}\n`).join("")}`);
  }
}
