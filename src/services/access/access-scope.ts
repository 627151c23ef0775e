import type { Diagnostic } from "../../core/diagnostic.ts";
import type { SourceDocument } from "../../core/source.ts";
import { type CompiledAccess, compileAccess, nameOfDocument } from "./access-documents.ts";

/** Rules, guardrails and schedules in force somewhere. A document that does not compile never replaces one of its name that did. */
export class AccessScope {
  #working = new Map<string, readonly SourceDocument[]>();
  #compiled: CompiledAccess = compileAccess([]);

  get compiled(): CompiledAccess {
    return this.#compiled;
  }

  /** Takes up these documents in place of all from before; the answer is what is wrong with them. */
  take(documents: readonly SourceDocument[]): readonly Diagnostic[] {
    const newest = compileAccess(documents);
    const broken = new Set(newest.broken);
    const kept = new Set<string>();
    const inForce = documents.flatMap((document) => {
      if (!broken.has(document)) return [document];
      const name = nameOfDocument(document);
      if (kept.has(name)) return [];
      kept.add(name);
      return this.#working.get(name) ?? [];
    });
    this.#compiled = broken.size === 0 ? newest : compileAccess(inForce);
    const works = inForce.filter((document) => !this.#compiled.broken.includes(document));
    this.#working = new Map(Map.groupBy(works, nameOfDocument));
    return newest.diagnostics;
  }
}
