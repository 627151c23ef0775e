import type { Command } from "commander";
import { type CommandContext, describedCommand } from "./command.ts";
import { withServer } from "./login.ts";
import { type KubeconfigFlags, runKubeconfig } from "./run-kubeconfig.ts";

export function createCommand(context: CommandContext): Command {
  return withServer(
    describedCommand("kubeconfig", "Writes how kubectl reaches clusters through the gateway: address, authority, login.", [
      ["castellan kubeconfig", "merged into the usual kubeconfig, and made the current context"],
      ["castellan kubeconfig --no-switch", "merged; kubectl --context castellan-CLUSTER uses it"],
      ["castellan kubeconfig --cluster prod --print", "on standard output, nothing is written"],
    ]),
  )
    .option("--cluster <name>", "one cluster of several; else all of them")
    .option("--kubeconfig <file>", "a file, instead of the usual place")
    .option("--no-switch", "leaves the current context as it is")
    .option("--print", "prints the entries and writes nothing")
    .action((flags: KubeconfigFlags) => runKubeconfig(flags, context));
}
