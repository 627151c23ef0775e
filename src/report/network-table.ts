import type { NetworkTable } from "../core/network-graph.ts";
import { styleFor } from "./style.ts";
import { displayWidth, padEnd, visible } from "./text.ts";

/** For a terminal: columns as wide as their widest cell, the last one as long as it is. */
export function textTable({ columns, rows }: NetworkTable, color: boolean): string {
  const { bold } = styleFor(color);
  const cells = [columns, ...rows].map((row) => row.map((cell) => visible(cell).replaceAll("\n", " ")));
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => displayWidth(row[i] ?? ""))));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : padEnd(cell, widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return cells.map((row, i) => `${i === 0 ? bold(line(row)) : line(row)}\n`).join("");
}

/** RFC 4180. A cell that a spreadsheet would take for a formula starts with an apostrophe. */
export function csvTable({ columns, rows }: NetworkTable): string {
  const cell = (text: string) => {
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [columns, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

export function markdownTable({ columns, rows }: NetworkTable): string {
  const cell = (text: string) =>
    visible(text)
      .replaceAll("\n", " ")
      .replaceAll("|", "\\|")
      .replace(/[<>*_`[\]\\](?!\|)/g, (c) => `\\${c}`);
  const line = (row: readonly string[]) => `| ${row.map(cell).join(" | ")} |\n`;
  return [line(columns), `|${columns.map(() => " --- |").join("")}\n`, ...rows.map(line)].join("");
}

/** Objects by the names of the columns. */
export function jsonTable({ columns, rows }: NetworkTable): readonly { readonly [column: string]: string }[] {
  return rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i] ?? ""])));
}
