import { basename, resolve } from "node:path";
import { failed, type Loaded, loaded } from "../../core/diagnostic.ts";
import { pathDiagnostic } from "./loaded-paths.ts";
import { findProgram, runProgram } from "./programs.ts";
import type { RenderableDirectory } from "./walk.ts";

/** Manifests that a program made of a directory. */
export interface Rendered {
  /** How positions name the text: `helm:charts/app`. */
  readonly name: string;
  readonly text: string;
}

/** Renders a chart by `helm`, a kustomization by `kustomize` or `kubectl`, whichever is found first. */
export async function render(directory: RenderableDirectory, searchPath: string): Promise<Loaded<Rendered>> {
  const isChart = directory.type === "chart";
  const program = findProgram(isChart ? ["helm"] : ["kustomize", "kubectl"], searchPath);
  if (program === undefined) {
    const wanted = isChart ? "helm" : "neither kustomize nor kubectl";
    const message = isChart
      ? `this is a Helm chart, and ${wanted} is not on PATH`
      : `this is a kustomization, and ${wanted} is on PATH`;
    return failed(pathDiagnostic("RENDERER_MISSING", directory.path, message));
  }
  const result = await runProgram(program.path, renderArguments(program.name, directory.path));
  if (!result.ok) {
    return failed(pathDiagnostic("RENDER_FAILED", directory.path, `${program.name} failed: ${result.message}`));
  }
  return loaded({ name: `${isChart ? "helm" : "kustomize"}:${directory.path}`, text: result.output });
}

/** Paths are made absolute, so that none can be taken for an option or for an address. */
function renderArguments(program: string, path: string): readonly string[] {
  const absolute = resolve(path);
  switch (program) {
    case "helm":
      return ["template", releaseName(absolute), absolute, "--include-crds"];
    case "kustomize":
      return ["build", absolute];
    default:
      return ["kustomize", absolute];
  }
}

/** A release name that Helm accepts, from the chart's directory. */
function releaseName(path: string): string {
  const name = basename(path)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
  return name === "" ? "release" : name.replace(/-+$/, "");
}
