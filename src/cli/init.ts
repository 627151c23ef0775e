import { type Command, Option } from "commander";
import { type CommandContext, describedCommand } from "./command.ts";
import { type InitFlags, runInit } from "./run-init.ts";

export function createCommand(context: CommandContext): Command {
  return describedCommand(
    "init",
    "Looks at a cluster, says where the risks are, and proposes what to begin with. It changes nothing.",
    [
      ["castellan init", "the cluster of the current kubeconfig context"],
      ["castellan init --context staging --write castellan/", "also writes the proposed policies and labels"],
    ],
  )
    .option("--context <name>", "the kubeconfig context of the cluster; else the current one")
    .option("--kubeconfig <file>", "a kubeconfig file, instead of the usual places")
    .option("--write <directory>", "writes the starter policies and namespace labels there; a directory that is new or empty")
    .addOption(new Option("-o, --output <format>", "how to answer").choices(["text", "json"]).default("text"))
    .action((flags: InitFlags) => runInit(flags, context));
}
