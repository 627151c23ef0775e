import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { loadDefaultRbacObjects, loadWorkloadCatalogue } from "../adapters/files/catalog.ts";
import { loadPaths } from "../adapters/files/load-paths.ts";
import { ApiError, connect, type KubernetesClient } from "../adapters/kubernetes/client.ts";
import { clusterAccess } from "../adapters/kubernetes/kubeconfig.ts";
import { describeChange, diffRbac } from "../analysis/rbac/diff.ts";
import { Identities } from "../analysis/rbac/identities.ts";
import { type RbacWorld, rbacWorld, readDefaultRbac } from "../analysis/rbac/world.ts";
import { isArray, type JsonValue, member } from "../core/json.ts";
import { formatRef, isKubernetesObject, type KubernetesObject, resourceRef } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";
import { applyObject, deleteObject, objectPath, undoFor, verifyAgainst } from "../services/rbac-apply.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { loadRbac } from "./rbac-input.ts";
import { finish } from "./run-policy.ts";
import { writeYamlFile } from "./write-report.ts";

export interface ApplyFlags {
  readonly context?: string;
  readonly dryRun: "server" | "none";
  readonly undoFile: string;
}

/** Previews, asks the server about every changed right, writes the undo file, and applies. */
export async function runApply(proposal: string, flags: ApplyFlags, context: CommandContext): Promise<void> {
  const { io, exit } = context;
  const loaded = await loadPaths([proposal]);
  if (loaded.diagnostics.some((d) => d.severity === "error")) return finish(loaded.diagnostics, context);
  const dryRun = flags.dryRun === "server";
  const client = await clientFor(flags);
  try {
    const undo = loaded.documents.find((d) => member(d.value, "kind") === "RbacUndo");
    if (undo !== undefined) return await putBack(client, undo.value, dryRun, context);
    const objects = objectsOf(loaded.documents);
    const live = await loadRbac(
      { cluster: true, output: "table", ...(flags.context === undefined ? {} : { context: flags.context }) },
      "rights",
      context,
    );
    if (live.diagnostics.some((d) => d.severity === "error")) return finish(live.diagnostics, context);
    const after = worldWith(live.documents, loaded.documents);
    const { changes } = diffRbac(live.world, after, new Identities());
    for (const line of changes.flatMap(describeChange)) io.out(`${line}\n`);
    const { asked, left, disagreements } = await verifyAgainst(client, live.world, changes);
    io.out(
      `Asked the server about ${asked} changed rights${left > 0 ? `, ${left} more were not asked` : ""}: ${disagreements.length === 0 ? "it agrees" : `it disagrees on ${disagreements.length}`}.\n`,
    );
    if (disagreements.length > 0) {
      for (const { request, server } of disagreements) {
        io.err(
          `${request.user} ${request.groups.join(",")} ${request.verb} ${request.resource}${request.path}: the server says ${server ? "yes" : "no"}\n`,
        );
      }
      io.err("castellan: something besides RBAC decides here, or the cluster changed; nothing was applied\n");
      return exit(exitCodes.incomplete);
    }
    if (!dryRun) {
      if (existsSync(flags.undoFile)) throw new UsageError(`${flags.undoFile} exists; name another file with --undo-file`);
      writeYamlFile(flags.undoFile, await undoFor(client, objects));
    }
    for (const object of objects) {
      await applyObject(client, object, dryRun);
      io.out(`${dryRun ? "would apply" : "applied"} ${formatRef(resourceRef(object))}\n`);
    }
    if (!dryRun) io.out(`Undo with: castellan rbac apply ${flags.undoFile} --dry-run=none\n`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    io.err(`castellan: the API server refused: ${error.message}\n`);
    exit(exitCodes.incomplete);
  } finally {
    await client.close();
  }
}

async function clientFor(flags: ApplyFlags): Promise<KubernetesClient> {
  const access = clusterAccess({ context: flags.context, env: process.env, home: homedir() });
  const client = access.ok ? await connect(access.value) : access;
  if (!client.ok) throw new UsageError(client.diagnostics[0]?.message ?? "no cluster");
  return client.value;
}

function objectsOf(documents: readonly SourceDocument<JsonValue>[]): readonly KubernetesObject[] {
  return documents.map(({ value, file }) => {
    if (!isKubernetesObject(value) || objectPath(value) === undefined) {
      throw new UsageError(`${file}: only service accounts, roles and bindings are applied`);
    }
    return value;
  });
}

/** The live objects with those of the proposal in their place. */
function worldWith(live: readonly SourceDocument[], proposal: readonly SourceDocument[]): RbacWorld {
  return rbacWorld({
    documents: [...live, ...proposal],
    namespace: "default",
    complete: true,
    defaults: readDefaultRbac(loadDefaultRbacObjects()),
    catalogue: loadWorkloadCatalogue(),
  });
}

async function putBack(client: KubernetesClient, undo: JsonValue, dryRun: boolean, { io }: CommandContext): Promise<void> {
  const list = (key: string) => {
    const items = member(undo, key);
    return isArray(items) ? items.filter(isKubernetesObject) : [];
  };
  for (const object of list("restore")) {
    await applyObject(client, object, dryRun);
    io.out(`${dryRun ? "would restore" : "restored"} ${formatRef(resourceRef(object))}\n`);
  }
  for (const object of list("delete").toReversed()) {
    await deleteObject(client, object, dryRun);
    io.out(`${dryRun ? "would delete" : "deleted"} ${formatRef(resourceRef(object))}\n`);
  }
}
