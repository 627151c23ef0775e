import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { processIo } from "../src/cli/io.ts";
import { createProgram } from "../src/cli/run.ts";

/** docs/reference/cli.md: what `--help` says of every command. */
export async function cliReference(): Promise<string> {
  const io = { ...processIo(), outColumns: 100 };
  const program = await createProgram("*", { io, version: "", exit: () => {} });
  const sections = commandsOf(program).map(([path, command]) => `## ${path}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`);
  return `# Command line

What \`castellan help\` says of every command. Exit codes are in [exit-codes.md](exit-codes.md), output formats in
[reports.md](reports.md).

${sections.join("\n")}`;
}

function commandsOf(command: Command, path = command.name()): readonly (readonly [string, Command])[] {
  return [[path, command], ...command.commands.flatMap((c) => commandsOf(c, `${path} ${c.name()}`))];
}

/** With the examples, which commander prints but does not return. */
function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => 100,
  });
  command.outputHelp();
  return text.trimEnd();
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(new URL("../docs/reference/cli.md", import.meta.url), await cliReference());
}
