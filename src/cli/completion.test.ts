import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli } from "../../test/run-cli.ts";

const script = async (shell: string) => (await runCli(["completion", shell])).out;
const has = (shell: string) => spawnSync(shell, ["-c", "true"]).status === 0;

describe.skipIf(!has("bash"))("bash", () => {
  const complete = async (...words: readonly string[]) => {
    const line = ["castellan", ...words].map((w) => `'${w}'`).join(" ");
    const program = `${await script("bash")}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length}; _castellan; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync("bash", ["-c", program], { encoding: "utf8", cwd: "/" }).trim().split("\n");
  };

  test.each<[string, readonly string[], readonly string[]]>([
    ["commands", [""], ["scan", "test", "policy", "completion", "help"]],
    ["a command", ["sc"], ["scan"]],
    ["subcommands", ["policy", ""], ["lint", "show", "explain"]],
    ["options", ["scan", "--pol"], ["--policies"]],
    ["options of a subcommand", ["policy", "lint", "--fail"], ["--fail-on"]],
    ["choices", ["scan", "--output", "s"], ["sarif"]],
    ["choices of a short option", ["scan", "-o", "j"], ["json", "junit"]],
    ["files", ["scan", "et"], ["etc"]],
  ])("%s", async (_, words, expected) => {
    const found = await complete(...words);
    for (const word of expected) expect(found).toContain(word);
  });
});

test.skipIf(!has("zsh"))("zsh accepts the script", async () => {
  const { status, stderr } = spawnSync("zsh", ["-n"], { input: await script("zsh"), encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
});

describe.skipIf(!has("fish"))("fish", () => {
  test.each([
    ["castellan sc", "scan"],
    ["castellan policy ", "explain"],
    ["castellan scan --pol", "--policies"],
    ["castellan scan -o ju", "junit"],
    ["castellan policy lint --fail", "--fail-on"],
  ])("%s", async (line, expected) => {
    // fish cannot read a script from the socket that Node gives it as standard input
    const folder = mkdtempSync(join(tmpdir(), "castellan-fish-"));
    const file = join(folder, "castellan.fish");
    writeFileSync(file, await script("fish"));
    const found = spawnSync("fish", ["--no-config", "-c", `source ${file}; complete -C '${line}'`], { encoding: "utf8" });
    rmSync(folder, { recursive: true });
    expect([found.stderr, found.stdout]).toEqual(["", expect.stringContaining(expected)]);
  });
});

test.each(["zsh", "fish"])("the script of %s knows every command and option", async (shell) => {
  const text = await script(shell);
  for (const word of ["scan", "explain", "write-baseline", "policy-report"]) expect(text).toContain(word);
});

test("another shell is a wrong command line", async () => {
  expect((await runCli(["completion", "tcsh"])).code).toBe(3);
});
