import { Command } from "commander";
import { type CommandContext, describedCommand } from "./command.ts";
import { type CopyFlags, type PruneFlags, runBackup, runCopy, runPrune, runRestore } from "./run-store.ts";

export function createCommand(context: CommandContext): Command {
  return new Command("store")
    .description("The database: backups, a move to PostgreSQL, and how long records are kept.")
    .addCommand(
      withData("backup", "Copies the database and the public keys into a new directory, verified; a server may run.", [
        ["castellan store backup /backups/2026-11-21", "the embedded database, or the one DATABASE_URL names"],
      ])
        .argument("<directory>", "where the copy goes; made where it is not there")
        .action((directory: string, flags: CopyFlags) => runBackup(directory, flags, context)),
    )
    .addCommand(
      withData("restore", "Puts a backup into an empty database.", [
        ["castellan store restore /backups/2026-11-21", "the server is stopped"],
      ])
        .argument("<directory>", "a backup")
        .action((directory: string, flags: CopyFlags) => runRestore(directory, flags, context)),
    )
    .addCommand(
      withData("copy", "Moves to PostgreSQL: everything of the embedded database, proofs included.", [
        ["castellan store copy --to postgresql://castellan@db/castellan", "the server is stopped"],
      ])
        .requiredOption("--to <url>", "an empty PostgreSQL database, 15 or newer")
        .action((flags: CopyFlags & { readonly to: string }) => runCopy(flags, context)),
    )
    .addCommand(
      withData("prune", "Removes old records; the hashes over them stay, so that the rest stays provable.", [
        ["castellan store prune --older-than 365d", "the server is stopped, unless it uses PostgreSQL"],
      ])
        .requiredOption("--older-than <duration>", "days: 180d")
        .option("--ledger-key <file>", "PEM: the key that signs the ledger, as the server has it; else the one in <data>")
        .action((flags: PruneFlags) => runPrune(flags, context)),
    );
}

function withData(name: string, description: string, examples: readonly (readonly [string, string])[]): Command {
  return describedCommand(name, description, examples).option(
    "--data <directory>",
    "where the embedded database and the keys are; DATABASE_URL names a PostgreSQL",
    ".castellan",
  );
}
