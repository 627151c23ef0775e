import { loadComponentDocument } from "../adapters/files/catalog.ts";
import type { ComponentCatalogue } from "../analysis/network/catalogue/component.ts";
import { parseComponents } from "../analysis/network/catalogue/parse-components.ts";

/** Throws where catalog/components.yaml is malformed: the package is broken then. */
export function builtInComponents(): ComponentCatalogue {
  const parsed = parseComponents([loadComponentDocument()]);
  if (!parsed.ok) throw new Error(`catalog/components.yaml: ${parsed.diagnostics[0]?.message}`);
  return parsed.value;
}
