import { type Command, InvalidArgumentError, Option } from "commander";
import { enforcements } from "../services/rollout/policy-modes.ts";
import { type CommandContext, collect, describedCommand } from "./command.ts";
import { type PreviewFlags, type PromoteFlags, planPolicies, previewCandidates, promotePolicy } from "./run-rollout.ts";

function days(text: string): number {
  const [, amount, unit] = /^(\d+)([hdw])$/.exec(text) ?? [];
  const value = Number(amount) * (unit === "h" ? 1 / 24 : unit === "w" ? 7 : 1);
  if (!(value > 0)) throw new InvalidArgumentError("must be a duration: 24h, 7d, 4w.");
  return value;
}

function withSources(command: Command): Command {
  return command
    .argument("<policies...>", "files, folders, globs, or - for standard input")
    .option("--cluster", "try them on the objects of a live cluster")
    .option("--context <name>", "the kubeconfig context of the cluster; else the current one")
    .option("-f, --files <path>", "try them on these manifests; repeatable", collect)
    .option("--history <time>", "try them on the requests that the ledger has of so long: 24h, 7d", days)
    .option("--data <directory>", "where the ledger is; DATABASE_URL names a PostgreSQL", ".castellan")
    .option("--on <cluster>", "only the ledger's records of this cluster")
    .option("-n, --namespace <name>", "only what is in this namespace")
    .addOption(new Option("-o, --output <format>", "how to show").choices(["table", "json", "yaml"]).default("table"));
}

export function previewCommand(context: CommandContext): Command {
  const command = describedCommand(
    "preview",
    "Whom policies would stop if they were enforced: tried on a live cluster, on manifests and on recorded requests. Exit 1 where they stop somebody.",
    [
      ["castellan policy preview new.yaml --cluster --history 7d", "on what runs and on the last week"],
      ["castellan policy preview new.yaml --files manifests/", "on manifests, in CI"],
    ],
  ).summary("Say whom policies would stop, before they do");
  return withSources(command).action((paths: readonly string[], flags: PreviewFlags) => previewCandidates(paths, flags, context));
}

export function planCommand(context: CommandContext): Command {
  const command = describedCommand(
    "plan",
    "In which order to enforce policies: first what stops nobody, worst risk first; then most risk for each namespace and user that is disturbed.",
    [["castellan policy plan policies/ --cluster --history 7d", "a rollout of a folder of policies"]],
  ).summary("Order a rollout by risk covered and people disturbed");
  return withSources(command).action((paths: readonly string[], flags: PreviewFlags) => planPolicies(paths, flags, context));
}

export function promoteCommand(context: CommandContext): Command {
  return describedCommand(
    "promote",
    "Changes what a failure of a policy means in the running server: audit, warn or enforce. Enforcing is refused while the preview on what runs and on recorded requests shows somebody stopped, unless a reason is given; both are recorded.",
    [
      ["castellan policy promote require-team --to warn", "those who violate it hear of it"],
      ["castellan policy promote require-team --to enforce -n nlp", "in one namespace first"],
      ['castellan policy promote require-team --to enforce --reason "CHG-1204: owners told"', "all the same"],
    ],
  )
    .summary("Move a policy from audit to warn to enforce")
    .argument("<name>", "the policy's name, or kyverno.io/ClusterPolicy/name where several share it")
    .addOption(new Option("--to <mode>", "what a failure means from now on").choices([...enforcements]).makeOptionMandatory())
    .option("-n, --namespace <name>", "only in this namespace")
    .option("--reason <text>", "why it may stop those whom the preview shows")
    .option("--history <time>", "how far back recorded requests are tried", days, 7)
    .option("--data <directory>", "the data directory of the running server", ".castellan")
    .addOption(new Option("-o, --output <format>", "how to show").choices(["table", "json", "yaml"]).default("table"))
    .action((name: string, flags: PromoteFlags) => promotePolicy(name, flags, context));
}
