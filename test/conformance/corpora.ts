import { access, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Corpus } from "./corpus.ts";

const here = import.meta.dirname;
const repository = resolve(here, "../..");

/** Every corpus has a module of its name in `corpora/`. */
export async function corpusNames(): Promise<readonly string[]> {
  const files = await readdir(join(here, "corpora"));
  return files
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.slice(0, -3))
    .sort();
}

/** @throws Error where there is no such corpus */
export async function loadCorpus(name: string): Promise<Corpus> {
  const module: unknown = await import(join(here, "corpora", `${name}.ts`));
  if (isModule(module)) return module.corpus;
  throw new Error(`corpora/${name}.ts exports no corpus`);
}

function isModule(module: unknown): module is { readonly corpus: Corpus } {
  return typeof module === "object" && module !== null && "corpus" in module;
}

/** Where the suites lie: `CASTELLAN_CONFORMANCE`, or `shared/conformance` beside the repository. */
export function conformanceRoot(): string {
  return resolve(process.env["CASTELLAN_CONFORMANCE"] ?? join(repository, "../shared/conformance"));
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** The directory of a corpus: `given` may be the corpus' own directory or the root of all. */
export async function corpusDirectory(corpus: Corpus, given?: string): Promise<string> {
  const folder = corpus.folder ?? corpus.name;
  if (given === undefined) return join(conformanceRoot(), folder);
  const inside = join(resolve(given), folder);
  return (await exists(inside)) ? inside : resolve(given);
}

export function expectedFailuresFile(corpus: Corpus): string {
  return join(here, "expected-failures", `${corpus.name}.yaml`);
}
