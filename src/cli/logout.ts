import type { Command } from "commander";
import { type CommandContext, describedCommand } from "./command.ts";
import { runLogout, type ServerFlags } from "./run-login.ts";

export function createCommand(context: CommandContext): Command {
  return describedCommand("logout", "Ends a login: at the server, and on this computer.", [
    ["castellan logout", "of the last login's server"],
    ["castellan logout --all", "of all servers"],
  ])
    .option("--server <url>", "the server's address")
    .option("--all", "ends all logins")
    .action((flags: ServerFlags) => runLogout(flags, context));
}
