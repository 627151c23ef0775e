import { styleFor, writeYaml } from "../report/index.ts";
import type { CommandContext } from "./command.ts";
import { type Io, wantsColor } from "./io.ts";

/** Columns as wide as their widest cell, two spaces apart; the last one as long as it is. */
export function columns(header: readonly string[], rows: readonly (readonly string[])[], io: Io): string {
  const { bold } = styleFor(wantsColor(io));
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return [bold(line(header)), ...rows.map(line)].map((text) => `${text}\n`).join("");
}

/** The same answer for people and for programs. */
export function writeAnswer(answer: object, text: () => string, output: "table" | "json" | "yaml", { io }: CommandContext): void {
  if (output === "table") io.out(text());
  else io.out(output === "json" ? `${JSON.stringify(answer, null, 2)}\n` : writeYaml(answer));
}
