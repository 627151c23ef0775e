import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isArray, member } from "../../../src/core/json.ts";
import type { SourceDocument } from "../../../src/core/source.ts";
import type { WorkloadCatalogue } from "../../../src/core/workload/catalogue.ts";
import { parseWorkloadCatalogue } from "../../../src/core/workload/parse-catalogue.ts";
import { parseDocuments } from "../../../src/core/yaml/parse-documents.ts";

/** One line of MANIFEST.tsv. */
export interface Row {
  readonly id: string;
  readonly suite: string;
  readonly inputs: readonly string[];
  readonly expected: string;
  readonly kind: string;
  readonly options: { readonly [key: string]: unknown };
}

export async function readRows(directory: string): Promise<readonly Row[]> {
  const text = await readFile(join(directory, "MANIFEST.tsv"), "utf8");
  return text
    .split("\n")
    .slice(1)
    .filter((line) => line !== "")
    .map((line) => {
      const [id = "", inputs = "", expected = "", kind = "", , options = ""] = line.split("\t");
      const suite = id.split("/")[0] ?? "";
      return {
        id,
        suite,
        inputs: inputs.split(" ").filter((p) => p !== ""),
        expected,
        kind,
        options: options === "" ? {} : JSON.parse(options),
      };
    });
}

let catalogue: Promise<WorkloadCatalogue> | undefined;

export function workloadCatalogue(): Promise<WorkloadCatalogue> {
  catalogue ??= (async () => {
    const file = join(import.meta.dirname, "../../../catalog/workloads.yaml");
    const parsed = parseWorkloadCatalogue(parseDocuments(await readFile(file, "utf8"), file).documents[0]?.value ?? null);
    if (!parsed.ok) throw new Error(parsed.diagnostics[0]?.message);
    return parsed.value;
  })();
  return catalogue;
}

/** All documents of files and directories; directories are walked. */
export async function readManifests(paths: readonly string[]): Promise<readonly SourceDocument[]> {
  const documents: SourceDocument[] = [];
  for (const path of paths) {
    for (const file of await filesOf(path))
      documents.push(...parseDocuments(await readFile(file, "utf8"), file).documents.flatMap(flatten));
  }
  return documents;
}

/** Some lists hold lists. */
function flatten(document: SourceDocument): readonly SourceDocument[] {
  const { value, file, index } = document;
  const items = isArray(value) ? value : member(value, "items");
  if (!isArray(items)) return [document];
  return items.flatMap((item) => flatten({ file, index, value: item, locate: () => undefined, locateKey: () => undefined }));
}

async function filesOf(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = await readdir(path, { recursive: true });
  return names
    .filter((name) => /\.(ya?ml|json)$/.test(name))
    .sort()
    .map((name) => join(path, name));
}
