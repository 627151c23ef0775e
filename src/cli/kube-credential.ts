import type { Command } from "commander";
import { type CommandContext, describedCommand } from "./command.ts";
import { runKubeCredential } from "./run-kube-credential.ts";

export function createCommand(context: CommandContext): Command {
  return describedCommand(
    "kube-credential",
    "Prints a short-lived token for kubectl; kubeconfigs call it (see castellan kubeconfig).",
    [["castellan kube-credential --server https://castellan.example.com", "as kubectl runs it"]],
  )
    .requiredOption("--server <url>", "the server's address")
    .action((flags: { readonly server: string }) => runKubeCredential(flags, context));
}
