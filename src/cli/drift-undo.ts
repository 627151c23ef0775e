import { closeSync, fsyncSync, openSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { declaredPart, type KubernetesObject } from "../core/kubernetes.ts";
import { writeYaml } from "../report/index.ts";
import { type Drift, driftManager } from "../services/drift/find-drift.ts";
import { type HealStep, undoOf } from "../services/drift/heal.ts";
import { UsageError } from "./command.ts";

interface UndoFile {
  /** How it is called in the commands that it says. */
  readonly file: string;
  /** The options of kubectl that reach this cluster. */
  readonly reach: readonly string[];
  /** ISO 8601. */
  readonly at: string;
}

/**
 * Manifests of what healing changes or deletes, as they are, under comments with the commands that put all back. Objects are
 * applied as the owner of what healing sets: so fields that it added go again.
 */
export function undoText(steps: readonly HealStep[], { file, reach, at }: UndoFile): string {
  const { restore, remove } = undoOf(steps);
  const kubectl = (...args: readonly string[]) => `#   ${["kubectl", ...reach, ...args].map(quoted).join(" ")}`;
  const apply = ["apply", "--server-side", "--force-conflicts", `--field-manager=${driftManager}`, "-f", file];
  const head = [
    `# As it was before castellan drift --heal at ${at}. To put it back:`,
    ...remove.map(({ served, resource }) =>
      kubectl(
        "delete",
        "--ignore-not-found",
        ...(resource.namespace === "" ? [] : ["-n", resource.namespace]),
        nameOf(served, resource),
      ),
    ),
    ...(restore.length === 0 ? [] : [kubectl(...apply)]),
    ...remove.flatMap(warning),
    ...(restore.some(isSecret)
      ? ["# It holds Secrets in clear text: keep it from others, and remove it when it is not needed."]
      : []),
  ];
  return `${head.join("\n")}\n${restore.map((object) => `---\n${writeYaml(asItWas(object))}`).join("")}`;
}

/**
 * A new file for its owner alone, on disk when this returns. Throws `UsageError`, also where the file is there: it may be the
 * undo of before.
 */
export function writeUndo(file: string, text: string): void {
  try {
    const opened = openSync(file, "wx", 0o600);
    try {
      writeFileSync(opened, text);
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
    const directory = openSync(dirname(file), "r");
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  } catch (error) {
    const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
    const why = exists ? "it exists, and may undo something else" : error instanceof Error ? error.message : String(error);
    throw new UsageError(`nothing was changed: cannot write ${file}: ${why}. Name another file with --undo`);
  }
}

const isSecret = ({ apiVersion, kind }: KubernetesObject) => apiVersion === "v1" && kind === "Secret";

/** Without what the server writes: with it the server would refuse to make the object anew. */
function asItWas(object: KubernetesObject): KubernetesObject {
  const declared = declaredPart(object);
  const { deletionTimestamp: _since, deletionGracePeriodSeconds: _grace, ...metadata } = declared.metadata ?? {};
  return { ...declared, metadata };
}

function warning({ served, resource: { name } }: Drift): readonly string[] {
  if (served.kind === "Namespace" && served.group === "")
    return [`# Deleting the namespace ${oneLine(name)} deletes all that others made in it since.`];
  if (served.kind === "CustomResourceDefinition") return [`# Deleting ${oneLine(name)} deletes all objects of its kind.`];
  return [];
}

function nameOf({ resource, group }: Drift["served"], { name }: Drift["resource"]): string {
  return `${group === "" ? resource : `${resource}.${group}`}/${name}`;
}

/** For a POSIX shell. */
function quoted(word: string): string {
  return /^[\w./:=@-]+$/.test(word) ? word : `'${oneLine(word).replaceAll("'", "'\\''")}'`;
}

/** A comment ends with its line. */
const oneLine = (text: string) => text.replace(/\p{Cc}/gu, "?");

/** Whether some of what is kept is a Secret. */
export const holdsSecrets = (steps: readonly HealStep[]): boolean => undoOf(steps).restore.some(isSecret);
