import { type SummaryColumn, type SummaryRow, summaryColumns } from "./report.ts";
import type { TableContext } from "./table-context.ts";
import { displayWidth, groupDigits, padEnd, padStart, wrap } from "./text.ts";

/** Counts by name; columns that would hold nothing are left out, long names are wrapped. */
export function summaryTable(
  title: string,
  rows: readonly SummaryRow[],
  nameOf: (name: string) => string,
  { width, style }: TableContext,
): readonly string[] {
  if (rows.length === 0) return [];
  const columns = summaryColumns.filter((c) => rows.some((row) => c.value(row) > 0));
  const widths = columns.map((c) => Math.max(c.head.length, ...rows.map((row) => cell(c, row).length)) + 2);
  const cells = (texts: readonly string[]) => texts.map((t, i) => padStart(t, widths[i] ?? 0)).join("");
  const room = Math.max(12, width - widths.reduce((sum, w) => sum + w, 0));
  const nameWidth = Math.min(room, Math.max(displayWidth(title), ...rows.map((r) => displayWidth(nameOf(r.name)))));
  const line = (row: SummaryRow) => {
    const [first = "", ...rest] = wrap(nameOf(row.name), nameWidth);
    return [padEnd(first, nameWidth) + cells(columns.map((c) => cell(c, row))), ...rest.map((part) => `  ${part}`)];
  };
  return [style.bold(padEnd(title, nameWidth)) + style.dim(cells(columns.map((c) => c.head))), ...rows.flatMap(line), ""];
}

function cell(column: SummaryColumn, row: SummaryRow): string {
  const n = column.value(row);
  return n === 0 ? "-" : groupDigits(n);
}
