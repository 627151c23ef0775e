import { type Command, InvalidArgumentError, Option } from "commander";
import { type CommandContext, describedCommand } from "./command.ts";
import { type DriftFlags, runDrift } from "./run-drift.ts";

export function createCommand(context: CommandContext): Command {
  return describedCommand("drift", "What is live and not as declared: exit 1 where something differs.", [
    ["castellan drift platform/", "RBAC, network policies, quotas, policies: whatever the directory declares"],
    ["castellan drift platform/ --heal", "what would be changed, asked of the server"],
    ["castellan drift platform/ --heal --yes --undo before.yaml", "changes it, and keeps what was there"],
  ])
    .argument("<paths...>", "declared manifests: files, directories, a Git checkout")
    .option("--context <name>", "the kubeconfig context of the cluster; else the current one")
    .option("--kubeconfig <file>", "a kubeconfig file, instead of the usual places")
    .option("--heal", "put back what was declared; without --yes it is only listed")
    .option("--yes", "change the cluster")
    .option("--undo <file>", "where the objects are kept as they were", "castellan-undo.yaml")
    .option("--at-most <n>", "change nothing where more than so many objects differ", limit, 20)
    .option("--data <directory>", "the ledger that knows who made a change; DATABASE_URL names a PostgreSQL", ".castellan")
    .addOption(new Option("-o, --output <format>", "how to answer").choices(["table", "json", "yaml"]).default("table"))
    .action((paths: readonly string[], flags: DriftFlags) => runDrift(paths, flags, context));
}

function limit(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("must be a whole number, 1 or more.");
  return value;
}
