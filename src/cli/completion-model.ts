import type { Command, Option } from "commander";

/** One command as shells complete it. */
export interface CompletionCommand {
  /** Words after `castellan`: empty for the program itself. */
  readonly path: readonly string[];
  readonly options: readonly CompletionOption[];
  readonly subcommands: readonly { readonly name: string; readonly summary: string }[];
}

export interface CompletionOption {
  /** `--output` and `-o`, without what they take. */
  readonly names: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  /** Empty: anything, completed as a file name. */
  readonly choices: readonly string[];
}

/** The program and all commands under it, each with its own options. */
export function completionModel(command: Command, path: readonly string[] = []): readonly CompletionCommand[] {
  const help = command.createHelp();
  const subcommands = help.visibleCommands(command);
  const here: CompletionCommand = {
    path,
    options: help.visibleOptions(command).map(completionOption),
    subcommands: subcommands.map((c) => ({ name: c.name(), summary: c.summary() || c.description() })),
  };
  return [here, ...command.commands.flatMap((c) => completionModel(c, [...path, c.name()]))];
}

function completionOption(option: Option): CompletionOption {
  return {
    names: [option.short, option.long].filter((n) => n !== undefined && n !== null),
    description: option.description,
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
  };
}
