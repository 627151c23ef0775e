import { Command } from "commander";
import { type Diagnostic, type Loaded, placeOf } from "../core/diagnostic.ts";
import type { ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";

/** What a command needs from its surroundings, and how it says how it ended. */
export interface CommandContext {
  readonly io: Io;
  readonly version: string;
  readonly exit: (code: ExitCode) => void;
}

/** One file of `cli/`: it makes the command with its options, help and action. */
export interface CommandModule {
  readonly createCommand: (context: CommandContext) => Command;
}

/** Thrown by an action for a wrong command line: exit 3, without a stack. */
export class UsageError extends Error {}

/** Thrown by an action that cannot answer, as what it asks about could not be read: exit 2, without a stack. */
export class UnansweredError extends Error {
  constructor(diagnostics: readonly Diagnostic[]) {
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    super(errors.map((one) => `${placed(one)}${one.next === undefined ? "" : `. ${one.next}`}`).join("\n"));
  }
}

/** The message with the place that it is about. */
export function placed(diagnostic: Diagnostic): string {
  const where = placeOf(diagnostic);
  return `${where === "" ? "" : `${where}: `}${diagnostic.message}`;
}

/** For a command that found nothing to work on: what could not be read, where that is why; else `otherwise`. */
export function nothingFound(diagnostics: readonly Diagnostic[], otherwise: string): Error {
  return diagnostics.some(({ severity }) => severity === "error") ? new UnansweredError(diagnostics) : new UsageError(otherwise);
}

/** The value; where there is none, a `UsageError` says what is wrong and what to do next. */
export function found<T>(result: Loaded<T>): T {
  if (result.ok) return result.value;
  throw new UsageError(
    result.diagnostics.map(({ message, next }) => (next === undefined ? message : `${message}. ${next}`)).join("; "),
  );
}

/** A command with examples under its help. */
export function describedCommand(name: string, description: string, examples: readonly (readonly [string, string])[]): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const text = examples.map(([line, what]) => (width > 44 ? `  # ${what}\n  ${line}` : `  ${line.padEnd(width)}  # ${what}`));
  return new Command(name).description(description).addHelpText("after", `\nExamples:\n${text.join("\n")}`);
}

/** For options that can be given more than once. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

/** For commands that read manifests: by position, as `scan` takes them, or with `--file`, as kubectl does. */
export const pathsArgument = ["[paths...]", "manifests or a dump of a cluster; - for standard input"] as const;

/** One list of what was named in either way. */
export function withPaths<F extends { readonly file?: readonly string[] }>(flags: F, paths: readonly string[]): F {
  return paths.length === 0 ? flags : { ...flags, file: [...paths, ...(flags.file ?? [])] };
}
