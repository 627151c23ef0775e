import { existsSync, writeFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { loadKubernetesSchemas } from "../adapters/files/catalog.ts";
import { nodeTextFiles } from "../adapters/files/text-files.ts";
import type { Host } from "../core/host.ts";
import { TestDocuments } from "../services/test-documents.ts";
import { findTests, runTestFile, type TestOutcome, type TestRequest } from "../services/test-run.ts";
import { allTests, parseSelection, type TestSelection } from "../services/test-selection.ts";
import { type CommandContext, describedCommand, UsageError } from "./command.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { wantsColor } from "./io.ts";
import { countTests, type TestCounts, type TestFormatName, testFormatters } from "./test-output.ts";

interface TestFlags {
  readonly select?: string;
  readonly failOnly?: boolean;
  readonly output: TestFormatName;
  readonly outputFile?: string;
}

function selectionOf(text: string | undefined): TestSelection {
  if (text === undefined) return allTests;
  const parsed = parseSelection(text);
  if (!parsed.ok) throw new UsageError(parsed.diagnostics.map((d) => d.message).join("; "));
  return parsed.value;
}

function runAll(paths: readonly string[], request: TestRequest): readonly TestOutcome[] {
  const documents = new TestDocuments(request.files);
  return paths.flatMap((path) => runTestFile(path, request, documents));
}

/** What could not be tried outranks what failed: the result is not complete. */
function exitCodeFor({ failed, problems }: TestCounts): ExitCode {
  if (problems > 0) return exitCodes.incomplete;
  return failed > 0 ? exitCodes.findings : exitCodes.clean;
}

function runTests(directories: readonly string[], flags: TestFlags, { io, exit }: CommandContext): void {
  const host: Host = { now: io.now, random: Math.random };
  const selection = selectionOf(flags.select);
  const tests = findExisting(directories);
  if (tests.length === 0)
    throw new UsageError(`no kyverno-test.yaml, suite.yaml, _test.rego and no cases in ${directories.join(", ")}`);
  const outcomes = runAll(tests, { files: nodeTextFiles, resources: loadKubernetesSchemas().resources(), host, selection });
  const color = flags.outputFile === undefined && wantsColor(io);
  const text = testFormatters[flags.output](outcomes, { failOnly: flags.failOnly === true, color });
  if (flags.outputFile === undefined) io.out(text);
  else writeFileSync(flags.outputFile, text);
  exit(exitCodeFor(countTests(outcomes)));
}

function findExisting(directories: readonly string[]): readonly string[] {
  const absent = directories.filter((path) => !existsSync(path));
  if (absent.length > 0) throw new UsageError(`${absent.join(", ")}: there is no such file or directory`);
  try {
    return findTests(nodeTextFiles, directories);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

export function createCommand(context: CommandContext): Command {
  return describedCommand(
    "test",
    "Run policy tests: kyverno-test.yaml files, suites of gator, _test.rego files and our own cases. A missing result is a failure.",
    [
      ["castellan test policies/", "every test below a folder"],
      ["castellan test . -t policy=disallow-*", "tests of some policies"],
      ["castellan test . --fail-only", "only what fails"],
      ["castellan test . -o junit --output-file tests.xml", "for a CI system"],
    ],
  )
    .argument(
      "<paths...>",
      "folders with kyverno-test.yaml, suite.yaml or _test.rego files or folders named cases, or test files",
    )
    .option("-t, --select <selection>", "policy=NAME,rule=NAME,resource=NAME; names may hold * and ?")
    .option("--fail-only", "show only what fails")
    .addOption(new Option("-o, --output <format>", "how to report").choices(Object.keys(testFormatters)).default("table"))
    .option("--output-file <file>", "write the report there")
    .action((paths: readonly string[], flags: TestFlags) => runTests(paths, flags, context));
}
