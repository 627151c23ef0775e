import type { Command } from "commander";
import { type CommandContext, describedCommand } from "./command.ts";
import { type LoginFlags, runLogin } from "./run-login.ts";

export function createCommand(context: CommandContext): Command {
  return withServer(
    describedCommand("login", "Logs in to a Castellan server: for its API, and for clusters behind its gateway.", [
      ["castellan login --server https://castellan.example.com", "in the browser"],
      ["castellan login --device", "where there is no browser: with a code that is typed in one elsewhere"],
      ["castellan login --as ada", "a development user of the server that runs here"],
    ]),
  )
    .option("--device", "shows a code to type in a browser anywhere")
    .option("--as <name>", "logs in as a development user, without a browser")
    .option("--no-browser", "shows the address and opens nothing")
    .action((flags: LoginFlags) => runLogin(flags, context));
}

/** Options that say which server is meant. */
export function withServer(command: Command): Command {
  return command
    .option("--server <url>", "the server's address; else CASTELLAN_SERVER, the server that runs here, or the last login's")
    .option("--certificate-authority <file>", "PEM: what vouches for the server where the system's authorities do not")
    .option("--data <directory>", "the data directory of a server that runs here", ".castellan");
}
