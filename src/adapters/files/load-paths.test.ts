import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatSpan } from "../../core/source.ts";
import { loadPaths } from "./load-paths.ts";
import { describeSkipped, type LoadedPaths } from "./loaded-paths.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "castellan-load-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A directory of its own with these files; contents `-> x` are links. */
function tree(files: { readonly [path: string]: string | Uint8Array }): string {
  const directory = mkdtempSync(join(root, "t"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    const link = typeof content === "string" ? /^-> (.*)$/.exec(content)?.[1] : undefined;
    if (link !== undefined) symlinkSync(link, join(directory, path));
    else writeFileSync(join(directory, path), content);
  }
  return directory;
}

const pod = (name: string) => `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\n`;
const named = (loaded: LoadedPaths, base: string) => loaded.documents.map((d) => relative(base, d.file));
const codes = (loaded: LoadedPaths, base: string) =>
  loaded.diagnostics.map((d) => `${d.code} ${d.severity} ${relative(base, d.span === undefined ? "" : formatSpan(d.span))}`);

describe("what is loaded", () => {
  test("directories in the order of names, with links, without other files", async () => {
    const base = tree({
      "b.yaml": pod("b"),
      "a/x.yml": pod("x"),
      "a/y.json": JSON.stringify({ apiVersion: "v1", kind: "Pod" }),
      "a/readme.md": "# no manifest",
      "c/link.yaml": "-> ../b.yaml",
      "d/shared.yaml": "-> ../elsewhere.txt",
      "elsewhere.txt": pod("e"),
    });
    const loaded = await loadPaths([base]);
    // The link to a file that was already loaded adds nothing.
    expect(named(loaded, base)).toEqual(["a/x.yml", "a/y.json", "b.yaml", "d/shared.yaml"]);
    expect(loaded.diagnostics).toEqual([]);
  });

  test("globs and several paths, each file once", async () => {
    const base = tree({ "a.yaml": pod("a"), "b.yaml": pod("b"), "n/c.yaml": pod("c") });
    const loaded = await loadPaths([join(base, "*.yaml"), join(base, "**/c.yaml"), base]);
    expect(named(loaded, base)).toEqual(["a.yaml", "b.yaml", "n/c.yaml"]);
  });

  test("standard input, and files of any name when they are named", async () => {
    const base = tree({ manifest: pod("a") });
    async function* input() {
      yield Buffer.from(`${pod("p")}---\n`);
      yield Buffer.from(pod("q"));
    }
    const loaded = await loadPaths(["-", join(base, "manifest")], { input: input() });
    expect(loaded.documents.map((d) => [d.file, d.index])).toEqual([
      ["-", 0],
      ["-", 1],
      [join(base, "manifest"), 0],
    ]);
  });

  test("a pipe, as a shell's process substitution names one", async () => {
    const base = tree({});
    const pipe = join(base, "pipe");
    execFileSync("mkfifo", [pipe]);
    const [loaded] = await Promise.all([loadPaths([pipe]), writeLater(pipe, pod("p"))]);
    expect(loaded.documents.length).toBe(1);
  });
});

async function writeLater(path: string, text: string): Promise<void> {
  const { writeFile } = await import("node:fs/promises");
  await writeFile(path, text);
}

describe("bad input: a diagnostic each, the rest is still loaded", () => {
  test.each<[string, { [path: string]: string | Uint8Array }, string[]]>([
    ["broken YAML", { "bad.yaml": "a: 1\nb: [\n" }, ["YAML_SYNTAX error bad.yaml:3:1"]],
    ["binary", { "bad.yaml": new Uint8Array([97, 58, 0, 1]) }, ["FILE_NOT_TEXT error bad.yaml:1:1"]],
    ["not UTF-8", { "bad.yaml": new Uint8Array([97, 58, 32, 0xe9]) }, ["FILE_NOT_TEXT error bad.yaml:1:1"]],
    ["50 MB", { "bad.yaml": `a: ${"x".repeat(50e6)}` }, ["FILE_TOO_LARGE error bad.yaml:1:1"]],
    ["a link to nothing", { "bad.yaml": "-> nowhere" }, ["FILE_NOT_FOUND error bad.yaml:1:1"]],
    ["a link to itself", { "bad.yaml": "-> bad.yaml" }, ["DIRECTORY_LOOP error bad.yaml:1:1"]],
    ["a directory loop", { "b/c": "-> .." }, ["DIRECTORY_LOOP error b/c:1:1"]],
    ["duplicate keys", { "bad.yaml": "a: 1\na: 2\n" }, ["DUPLICATE_KEY warning bad.yaml:2:1"]],
  ])("%s", async (_, files, expected) => {
    const base = tree({ ...files, "good.yaml": pod("good") });
    const loaded = await loadPaths([base]);
    expect(codes(loaded, base)).toEqual(expected);
    expect(named(loaded, base)).toContain("good.yaml");
  });

  test.skipIf(process.getuid?.() === 0)("unreadable files and directories", async () => {
    const base = tree({ "a.yaml": pod("a"), "d/b.yaml": pod("b"), "good.yaml": pod("good") });
    chmodSync(join(base, "a.yaml"), 0);
    chmodSync(join(base, "d"), 0);
    const loaded = await loadPaths([base, join(base, "d/b.yaml")]);
    expect(codes(loaded, base)).toEqual([
      "FILE_UNREADABLE error a.yaml:1:1",
      "FILE_UNREADABLE error d:1:1",
      "FILE_UNREADABLE error d/b.yaml:1:1",
    ]);
    expect(named(loaded, base)).toEqual(["good.yaml"]);
    chmodSync(join(base, "d"), 0o755);
  });

  test("paths that name nothing", async () => {
    const base = tree({ "empty/readme.md": "" });
    const loaded = await loadPaths([join(base, "no.yaml"), join(base, "*.yaml"), join(base, "empty")]);
    expect(codes(loaded, base)).toEqual([
      "FILE_NOT_FOUND error no.yaml:1:1",
      "FILE_NOT_FOUND error *.yaml:1:1",
      "DIRECTORY_EMPTY error empty:1:1",
    ]);
  });
});

const chart = {
  "chart/Chart.yaml": "apiVersion: v2\nname: demo\nversion: 0.1.0\n",
  "chart/values.yaml": "image: nginx\n",
  "chart/templates/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n",
  "chart/crds/crd.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n",
};
const kustomization = {
  "k/kustomization.yaml": "resources: [pod.yaml]\npatches: [{path: patch.yaml}]\nnamespace: rendered\n",
  "k/pod.yaml": pod("p"),
  "k/patch.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {patched: 'yes'}}\n",
};

describe("charts, kustomizations, templates", () => {
  test("met in a walk: left alone and counted; CRDs and resources are read", async () => {
    const base = tree({
      ...chart,
      ...kustomization,
      "t.yaml": "a: {{ .Values.a }}\n",
      ".hidden/a.yaml": pod("h"),
      ".git/a.yaml": pod("g"),
    });
    const loaded = await loadPaths([base]);
    expect(named(loaded, base)).toEqual(["chart/crds/crd.yaml", "k/pod.yaml"]);
    expect(loaded.diagnostics).toEqual([]);
    expect(loaded.skipped.map((s) => `${s.reason} ${relative(base, s.path)}`)).toEqual([
      "hidden .hidden",
      "chart chart",
      "kustomization k/kustomization.yaml",
      "kustomize-patch k/patch.yaml",
      "template t.yaml",
    ]);
    expect(describeSkipped(loaded.skipped)).toContain("1 template: no YAML before rendering");
  });

  test("a template that is named is an error; Kyverno's variables make no template", async () => {
    const base = tree({ "t.yaml": "a: {{ .Values.a }}\n", "k.yaml": "a: {{ request.object }}\n" });
    const loaded = await loadPaths([join(base, "t.yaml"), join(base, "k.yaml")]);
    expect(codes(loaded, base)).toEqual(["FILE_TEMPLATE error t.yaml:1:1", "YAML_VALUE error k.yaml:1:5"]);
  });

  test("named without a program on PATH: a clear refusal", async () => {
    const base = tree({ ...chart, ...kustomization });
    const loaded = await loadPaths([join(base, "chart"), join(base, "k")], { searchPath: "" });
    expect(codes(loaded, base)).toEqual(["RENDERER_MISSING error chart:1:1", "RENDERER_MISSING error k:1:1"]);
    expect(loaded.documents).toEqual([]);
  });

  test("rendered by programs on PATH, without a shell", async () => {
    const base = tree({ ...chart, ...kustomization });
    const programs = tree({
      helm: `#!/bin/sh\nprintf 'apiVersion: v1\\nkind: Pod\\nmetadata: {name: "%s"}\\n' "$*"\n`,
      kustomize: "#!/bin/sh\necho 'accumulating resources: boom' >&2\nexit 1\n",
    });
    for (const program of ["helm", "kustomize"]) chmodSync(join(programs, program), 0o755);
    const searchPath = ["", join(base, "nowhere"), programs].join(delimiter);
    const loaded = await loadPaths([base], { render: "all", searchPath });
    expect(loaded.documents.map((d) => d.value)).toEqual([
      { apiVersion: "v1", kind: "Pod", metadata: { name: `template chart ${join(base, "chart")} --include-crds` } },
    ]);
    expect(loaded.documents[0]?.file).toBe(`helm:${join(base, "chart")}`);
    expect(loaded.diagnostics.map((d) => d.message)).toEqual(["kustomize failed: accumulating resources: boom"]);
  });
});

const kubectl = (process.env["PATH"] ?? "").split(delimiter).some((d) => {
  try {
    execFileSync(join(d, "kubectl"), ["version", "--client"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});

test.skipIf(!kubectl)("the real kubectl builds a kustomization", async () => {
  const base = tree(kustomization);
  const loaded = await loadPaths([join(base, "k")]);
  expect(loaded.diagnostics).toEqual([]);
  expect(loaded.documents.map((d) => d.value)).toEqual([
    { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "rendered", labels: { patched: "yes" } } },
  ]);
});
