import { loadPaths } from "../adapters/files/load-paths.ts";
import { formatSpan } from "../core/source.ts";
import { type AssertionResult, readAssertions, runAssertion } from "../services/network-test.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { loadNetwork, type NetFlags } from "./net-input.ts";
import { type TableFormat, writeTable } from "./net-output.ts";
import { requireOneInput } from "./run-net-replay.ts";
import { finish } from "./run-policy.ts";

export interface TestFlags extends NetFlags {
  readonly output: TableFormat;
}

/** Runs assertions; a failed, uncertain or broken one is exit 1. */
export async function runNetTest(files: readonly string[], flags: TestFlags, context: CommandContext): Promise<void> {
  requireOneInput([...files, ...(flags.file ?? [])]);
  const input = await loadNetwork(flags, context);
  const read = await loadPaths(files);
  const { assertions, problems } = readAssertions(read.documents);
  if (assertions.length === 0 && problems.length === 0) throw new UsageError(`no assertion is in ${files.join(", ")}`);
  const results = assertions.map((assertion) => runAssertion(assertion, input.network));
  const bad = results.filter(({ status }) => status !== "pass");
  const shown = flags.output === "table" || flags.output === "md" ? bad : results;
  const passed = results.length - bad.length;
  const table = { columns: ["RESULT", "TEST", "FROM", "TO", "PORT", "EXPECTED", "WHY"], rows: shown.map(row) };
  const summary = `${passed} of ${results.length} assertions hold.`;
  const json = { passed, failed: bad.length, results: results.map(resultData) };
  writeTable({ table, notes: bad.length === 0 ? [] : [summary], json, nothing: summary }, flags.output, context);
  if (bad.length > 0) context.exit(exitCodes.findings);
  const invalid = problems.map(
    ({ message, span }) => ({ code: "NETWORK_TEST_INVALID", severity: "error", message, span }) as const,
  );
  finish([...input.diagnostics, ...read.diagnostics, ...invalid], context);
}

function row({ assertion, status, message }: AssertionResult): readonly string[] {
  const { name, from, to, port, expect, span } = assertion;
  return [status, name, from, to, port, expect, span === undefined ? message : `${message}  ${formatSpan(span)}`];
}

function resultData({ assertion: { span, ...rest }, status, message }: AssertionResult): object {
  return { ...rest, status, message, ...(span === undefined ? {} : { at: formatSpan(span) }) };
}
