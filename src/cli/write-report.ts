import { writeFileSync } from "node:fs";
import type { JsonObject } from "../core/json.ts";
import { type FormatName, formatters, type Report, verdictLines, writeYaml } from "../report/index.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { wantsColor } from "./io.ts";

interface OutputFlags {
  readonly output: FormatName;
  readonly outputFile?: string;
  readonly explain?: boolean;
}

/** Where nobody says how wide the terminal is. */
const usualWidth = 80;

/** To standard output, or to a file and the verdict to standard output. */
export function writeReport(report: Report, flags: OutputFlags, { io }: CommandContext): void {
  const width = io.outColumns ?? usualWidth;
  const options = { width, explain: flags.explain === true, color: wantsColor(io) };
  if (flags.outputFile === undefined) {
    io.out(formatters[flags.output](report, options));
    return;
  }
  writeFile(flags.outputFile, formatters[flags.output](report, { ...options, color: false }));
  io.out(`${[...verdictLines(report, options), `The report is in ${flags.outputFile}`].join("\n")}\n`);
}

export function writeYamlFile(file: string, value: JsonObject): void {
  writeFile(file, writeYaml(value));
}

export function writeFile(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UsageError(`cannot write ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
