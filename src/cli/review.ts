import { Command, Option } from "commander";
import { type CommandContext, collect, describedCommand, pathsArgument, withPaths } from "./command.ts";
import { type DecideFlags, type ReviewFlags, runDecide, runList, runStart, type StartFlags } from "./run-review.ts";

export function createCommand(context: CommandContext): Command {
  return new Command("review")
    .description("Access reviews: the owner of each binding keeps or revokes it, knowing when it was last used.")
    .addCommand(startCommand(context))
    .addCommand(listCommand(context))
    .addCommand(decideCommand(context));
}

function withReview(command: Command): Command {
  return command
    .argument("<review>", "its name, as 2026-q1")
    .option("--on <cluster>", "the cluster, as the ledger names it", "default")
    .option("--data <directory>", "where the embedded database and the keys are; DATABASE_URL names a PostgreSQL", ".castellan");
}

function startCommand(context: CommandContext): Command {
  const command = describedCommand(
    "start",
    "Begins a review of all bindings that people made; begun again it takes up new ones.",
    [
      ["castellan review start 2026-q1 --cluster --on staging", "the bindings of a live cluster"],
      ["castellan review start 2026-q1 manifests/", "of manifests"],
    ],
  );
  return withReview(command)
    .argument(...pathsArgument)
    .option("-f, --file <path>", "the same as a path; repeatable", collect)
    .option("-c, --cluster", "the cluster of the current kubeconfig context")
    .option("--context <name>", "another kubeconfig context")
    .option("--ledger-key <file>", "PEM: the key that signs the ledger, as the server has it; else the one in <data>")
    .option("--since <time>", "looks for uses from there on: RFC 3339, or a duration before now", "90d")
    .option("--by <user>", "who begins it; else the user of this machine")
    .action((name: string, paths: readonly string[], flags: StartFlags) => runStart(name, withPaths(flags, paths), context));
}

function listCommand(context: CommandContext): Command {
  const command = describedCommand("list", "The bindings of a review, unused ones first: exit 1 while one is not decided.", [
    ["castellan review list 2026-q1 --owner nlp", "what one team has to decide"],
  ]);
  return withReview(command)
    .option("--owner <owner>", "only this owner's")
    .option("--open", "only those that are not decided")
    .addOption(new Option("-o, --output <format>", "how to answer").choices(["table", "json"]).default("table"))
    .action((name: string, flags: ReviewFlags) => runList(name, flags, context));
}

function decideCommand(context: CommandContext): Command {
  const command = describedCommand("decide", "Records that a binding is kept or revoked, by whom and why. Nothing is deleted.", [
    ['castellan review decide 2026-q1 RoleBinding/nlp/agent revoke --reason "project ended"', "prints how to take it away"],
  ]);
  return withReview(command)
    .argument("<binding>", "as the list shows it")
    .argument("<decision>", "keep or revoke")
    .requiredOption("--reason <text>", "why")
    .option("--ledger-key <file>", "PEM: the key that signs the ledger, as the server has it; else the one in <data>")
    .option("--by <user>", "who decided; else the user of this machine")
    .action((name: string, binding: string, decision: string, flags: DecideFlags) =>
      runDecide({ name, binding, decision }, flags, context),
    );
}
