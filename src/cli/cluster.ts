import { Command, InvalidArgumentError, Option } from "commander";
import { type CommandContext, describedCommand } from "./command.ts";
import { type AddFlags, runAdd } from "./run-cluster-add.ts";
import { type ListFlags, runList } from "./run-cluster-list.ts";
import { type RemoveFlags, runRemove } from "./run-cluster-remove.ts";

export function createCommand(context: CommandContext): Command {
  return new Command("cluster")
    .description("The clusters that a server governs by tokens of its own.")
    .addCommand(addCommand(context))
    .addCommand(
      withFile(
        describedCommand(
          "list",
          "Whether each is reached, when its token ends, and which rights are missing: exit 1 for those.",
          [["castellan cluster list", "asks each of them"]],
        ).addOption(new Option("-o, --output <format>", "how to answer").choices(["table", "json"]).default("table")),
      ).action((flags: ListFlags) => runList(flags, context)),
    )
    .addCommand(removeCommand(context));
}

function addCommand(context: CommandContext): Command {
  const command = describedCommand(
    "add",
    "Registers a cluster: with an account of ours that is made there (previewed without --yes), or by a token that you have.",
    [
      ["castellan cluster add production --context production", "what would be made there"],
      ["castellan cluster add production --context production --yes", "makes it, and keeps its token"],
      [
        "castellan cluster add edge --server https://... --certificate-authority ca.crt --token-file token",
        "makes nothing there",
      ],
    ],
  );
  return withFile(command)
    .argument("<name>", "what it is called here")
    .option("--context <name>", "the kubeconfig context by which our account is made")
    .option("--kubeconfig <file>", "a kubeconfig file, instead of the usual places")
    .option("--namespace <name>", "where the account is made", "castellan")
    .option("--token-days <days>", "how long a token lasts; a running server renews it at half of that", days, 30)
    .option("--no-webhook", "judges nothing at admission there")
    .option("--server <url>", "its API server, for a token that you have")
    .option("--certificate-authority <file>", "PEM: what vouches for the API server")
    .option("--token-file <file>", "the token, read again each minute: who gave it renews it")
    .option("--yes", "does it")
    .action((name: string, flags: AddFlags) => runAdd(name, flags, context));
}

function removeCommand(context: CommandContext): Command {
  const command = describedCommand("remove", "Forgets a cluster.", [
    ["castellan cluster remove edge", "nothing is changed there"],
    ["castellan cluster remove production --and-its-account", "what add made there and would be removed"],
    ["castellan cluster remove production --and-its-account --yes", "removes it"],
  ]);
  return withFile(command)
    .argument("<name>", "as it is called here")
    .option("--and-its-account", "removes what add made in the cluster, too; without --yes it is only listed")
    .option("--context <name>", "the kubeconfig context for that; else the one by which it was made")
    .option("--kubeconfig <file>", "a kubeconfig file, instead of the usual places")
    .option("--namespace <name>", "where the account is, of a cluster that is not registered")
    .option("--yes", "does it")
    .action((name: string, flags: RemoveFlags) => runRemove(name, flags, context));
}

function withFile(command: Command): Command {
  return command
    .option("--data <directory>", "the server's data directory: clusters are kept in clusters.yaml there", ".castellan")
    .option("--clusters <file>", "another file for that, in kubeconfig's format, to be mounted from a Secret");
}

function days(text: string): number {
  const count = Number(text);
  if (!/^\d{1,3}$/.test(text) || count === 0) throw new InvalidArgumentError("write a number of days, 1 to 999");
  return count;
}
