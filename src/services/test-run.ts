import { basename } from "node:path";
import type { TextFiles } from "../adapters/files/text-files.ts";
import type { ApiResources } from "../core/api-resources.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Host } from "../core/host.ts";
import type { SourceDocument } from "../core/source.ts";
import { TestDocuments } from "./test-documents.ts";
import { scoreTest, type TestRow } from "./test-score.ts";
import type { TestSelection } from "./test-selection.ts";
import { isTestDocument, readTestSpec, type TestEntry } from "./test-spec.ts";
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

/** Whether a file is a test of the Kyverno command line by its name. */
export function isTestFile(path: string): boolean {
  return /^kyverno-test.*\.ya?ml$/.test(basename(path));
}

function runTest(document: SourceDocument, request: TestRequest, documents: TestDocuments): TestOutcome | undefined {
  const { spec, report } = readTestSpec(document);
  const results = spec.results
    .map((entry) => request.selection(entry))
    .filter((entry): entry is TestEntry => entry !== undefined);
  if (results.length === 0 && spec.results.length > 0) return undefined;
  const world = loadTestWorld({ ...spec, results }, documents, request.resources);
  const rows = scoreTest(world, { host: request.host, documents });
  return { file: document.file, name: spec.name, rows, diagnostics: [...report.diagnostics, ...world.diagnostics] };
}

/** Runs the tests of one `kyverno-test.yaml`; a file may hold several. */
export function runTestFile(
  path: string,
  request: TestRequest,
  documents = new TestDocuments(request.files),
): readonly TestOutcome[] {
  const parsed = documents.read(path);
  const outcomes = parsed.documents
    .filter((document) => isTestDocument(document.value))
    .map((document) => runTest(document, request, documents))
    .filter((outcome) => outcome !== undefined);
  if (parsed.diagnostics.length === 0) return outcomes;
  return [...outcomes, { file: path, name: path, rows: [], diagnostics: parsed.diagnostics }];
}
