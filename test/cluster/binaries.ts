import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, constants, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Programs of a control plane, and the Go packages that make them (see go.mod). */
const packages = {
  etcd: "go.etcd.io/etcd/server/v3",
  "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
  "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
  kubectl: "k8s.io/kubernetes/cmd/kubectl",
} as const;

export type ControlPlaneProgram = keyof typeof packages;

export const programs: readonly ControlPlaneProgram[] = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"];

export interface NotAvailable {
  readonly available: false;
  readonly reason: string;
}

export interface Binaries<Program extends string = ControlPlaneProgram> {
  readonly available: true;
  path(program: Program): string;
}

/**
 * The programs asked for: from `KUBEBUILDER_ASSETS` where it is set, else from the cache, else built by Go into the
 * cache (some 10 minutes of CPU the first time). Without any of them, says so; where `CI` is set that throws.
 */
export async function controlPlaneBinaries(programs: readonly ControlPlaneProgram[]): Promise<Binaries | NotAvailable> {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  if (assets !== undefined && assets !== "") {
    const missing = await firstMissing(assets, programs);
    return missing === undefined ? binariesIn(assets) : notAvailable(`KUBEBUILDER_ASSETS has no ${missing}`);
  }
  const cache = await cacheDirectory([join(import.meta.dirname, "go.sum")]);
  if ((await firstMissing(cache, programs)) === undefined) return binariesIn(cache);
  if (!(await hasGo())) return notAvailable("KUBEBUILDER_ASSETS is not set and Go is not installed");
  await mkdir(cache, { recursive: true });
  for (const program of programs) {
    if ((await firstMissing(cache, [program])) !== undefined) {
      await build(packages[program], import.meta.dirname, join(cache, program));
    }
  }
  return binariesIn(cache);
}

/** Our stub of a kubelet (see kubelet/), built by Go into the cache in some seconds. */
export function kubeletBinary(): Promise<Binaries<"kubelet"> | NotAvailable> {
  return builtFrom(join(import.meta.dirname, "kubelet"), "kubelet", ".");
}

/** A registry of container images (see ../registry/go.mod), built by Go into the cache in some seconds. */
export function registryBinary(): Promise<Binaries<"registry"> | NotAvailable> {
  return builtFrom(join(import.meta.dirname, "../registry"), "registry", "github.com/google/go-containerregistry/cmd/registry");
}

/** Helm (see helm/go.mod), built by Go into the cache: some 25 seconds after kubectl, of which it shares most, else up to 90. */
export function helmBinary(): Promise<Binaries<"helm"> | NotAvailable> {
  return builtFrom(join(import.meta.dirname, "helm"), "helm", "helm.sh/helm/v3/cmd/helm");
}

async function builtFrom<Program extends string>(
  module: string,
  program: Program,
  packagePath: string,
): Promise<Binaries<Program> | NotAvailable> {
  const sources = (await readdir(module)).filter((name) => /\.(go|sum)$/.test(name)).sort();
  const directory = await cacheDirectory(sources.map((name) => join(module, name)));
  if ((await firstMissing(directory, [program])) !== undefined) {
    if (!(await hasGo())) return notAvailable("Go is not installed");
    await mkdir(directory, { recursive: true });
    await build(packagePath, module, join(directory, program));
  }
  return binariesIn(directory);
}

function notAvailable(reason: string): NotAvailable {
  if (process.env["CI"] === "true") throw new Error(`the tests against a real API server cannot run: ${reason}`);
  return { available: false, reason };
}

function binariesIn(directory: string): Binaries<string> {
  return { available: true, path: (program) => join(directory, program) };
}

const hasGo = () =>
  run("go", ["version"]).then(
    () => true,
    () => false,
  );

async function firstMissing(directory: string, programs: readonly string[]): Promise<string | undefined> {
  for (const program of programs) {
    try {
      await access(join(directory, program), constants.X_OK);
    } catch {
      return program;
    }
  }
  return undefined;
}

/** Outside the clone, so that a fresh one need not build again; keyed by what is built. */
async function cacheDirectory(sources: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const source of sources) hash.update(await readFile(source));
  const key = hash.digest("hex").slice(0, 16);
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "castellan", key);
}

/** Built beside its place and moved there, so that an interrupted build leaves nothing that looks finished. */
async function build(packagePath: string, module: string, target: string): Promise<void> {
  const partial = `${target}.${process.pid}.partial`;
  process.stderr.write(`building ${target} once, which takes minutes\n`);
  try {
    const flags = ["build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", partial, packagePath];
    await run("go", flags, { cwd: module, maxBuffer: 16 * 1024 * 1024 });
    await rename(partial, target);
  } finally {
    await rm(partial, { force: true });
  }
}
