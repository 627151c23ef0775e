import { basename, dirname } from "node:path";
import type { TextFiles } from "../adapters/files/text-files.ts";
import type { ApiResources } from "../core/api-resources.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Host } from "../core/host.ts";
import type { SourceDocument } from "../core/source.ts";
import { isSuiteDocument, runSuite } from "./gatekeeper-suite.ts";
import { isRegoTestFile, runRegoTests } from "./rego-tests.ts";
import { isCaseDocument, runCases } from "./test-cases.ts";
import { TestDocuments } from "./test-documents.ts";
import { scoreTest, type TestRow } from "./test-score.ts";
import type { TestSelection } from "./test-selection.ts";
import { isTestDocument, readTestSpec } from "./test-spec.ts";
import { loadTestWorld } from "./test-world.ts";

export interface TestRequest {
  readonly files: TextFiles;
  readonly resources: ApiResources;
  readonly host: Host;
  readonly selection: TestSelection;
}

/** One test file's outcome. */
export interface TestOutcome {
  readonly file: string;
  readonly name: string;
  readonly rows: readonly TestRow[];
  /** What could not be read or understood; errors mean that the test is not complete. */
  readonly diagnostics: readonly Diagnostic[];
}

const isYaml = (path: string): boolean => /\.ya?ml$/.test(path);

/** Whether a file is a test by its name: `kyverno-test.yaml`, `suite.yaml`, `*_test.rego`, or YAML in a folder `cases`. */
function isTestFile(path: string): boolean {
  if (isRegoTestFile(path)) return true;
  return isYaml(path) && (/^(?:kyverno-test|suite)\.ya?ml$/.test(basename(path)) || basename(dirname(path)) === "cases");
}

/** Undefined: nothing of it is selected. */
function runTest(document: SourceDocument, request: TestRequest, documents: TestDocuments): TestOutcome | undefined {
  if (isCaseDocument(document.value)) return runCases(document, request, documents);
  if (isSuiteDocument(document.value)) return runSuite(document, request, documents);
  const { spec, report } = readTestSpec(document);
  const results = spec.results.map((entry) => request.selection(entry)).filter((entry) => entry !== undefined);
  if (results.length === 0 && spec.results.length > 0) return undefined;
  const world = loadTestWorld({ ...spec, results }, documents, request.resources);
  const rows = scoreTest(world, { host: request.host, documents });
  return { file: document.file, name: spec.name, rows, diagnostics: [...report.diagnostics, ...world.diagnostics] };
}

const withoutTests = (path: string): Diagnostic => ({
  code: "TEST_INVALID",
  severity: "warning",
  message: `${path} holds no test: no Test of cli.kyverno.io, no Suite of test.gatekeeper.sh, no list of cases, each with \`expect\``,
});

/** Runs the tests of one file, which may hold several; other documents in it are no tests. */
export function runTestFile(
  path: string,
  request: TestRequest,
  documents = new TestDocuments(request.files),
): readonly TestOutcome[] {
  if (path.endsWith(".rego")) return [runRegoTests(path, request)];
  const parsed = documents.read(path);
  const tests = parsed.documents.filter(({ value }) => isTestDocument(value) || isCaseDocument(value) || isSuiteDocument(value));
  const outcomes = tests.map((document) => runTest(document, request, documents)).filter((outcome) => outcome !== undefined);
  const diagnostics = [...parsed.diagnostics, ...(tests.length === 0 ? [withoutTests(path)] : [])];
  return diagnostics.length === 0 ? outcomes : [...outcomes, { file: path, name: path, rows: [], diagnostics }];
}

/** Paths of the tests in directories and files; a file that is named is taken as a test whatever its name. */
export function findTests(files: TextFiles, paths: readonly string[]): readonly string[] {
  const found = paths.flatMap((path) => {
    const inside = files.walk(path);
    return inside.length === 1 && inside[0] === path ? inside : inside.filter(isTestFile);
  });
  return [...new Set(found)];
}
