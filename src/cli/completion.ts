import { Argument, type Command } from "commander";
import { type CommandContext, describedCommand } from "./command.ts";
import { completionModel } from "./completion-model.ts";
import { bashScript, fishScript, zshScript } from "./completion-scripts.ts";
import { createProgram } from "./run.ts";

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
type Shell = keyof typeof scripts;

export function createCommand(context: CommandContext): Command {
  return describedCommand("completion", "Print a script that completes castellan's commands and options in your shell.", [
    ["source <(castellan completion bash)", "for this shell"],
    ["castellan completion fish | source", "fish"],
    ["castellan completion zsh > ~/.zsh/_castellan", "for good, in a folder of $fpath"],
  ])
    .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(scripts)))
    .action(async (shell: Shell) => {
      const program = await createProgram("*", context);
      context.io.out(scripts[shell](completionModel(program)));
    });
}
