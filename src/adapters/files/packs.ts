import { readdirSync, readFileSync } from "node:fs";
import type { SourceDocument } from "../../core/source.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";

/** Packs that judge where nobody names policies. */
const defaultPacks = ["ai-platform"] as const;

/** Policies of the packs that apply by default, the same from src/ and from dist/. Throws where one is absent: the package is broken then. */
export function loadDefaultPacks(): readonly SourceDocument[] {
  return defaultPacks.flatMap((pack) => {
    const folder = new URL(`../../../packs/${pack}/policies/`, import.meta.url);
    return readdirSync(folder)
      .filter((name) => name.endsWith(".yaml"))
      .sort()
      .flatMap((name) => {
        const { documents, diagnostics } = parseDocuments(
          readFileSync(new URL(name, folder), "utf8"),
          `packs/${pack}/policies/${name}`,
        );
        const [problem] = diagnostics;
        if (problem !== undefined) throw new Error(`packs/${pack}/policies/${name}: ${problem.message}`);
        return documents;
      });
  });
}
