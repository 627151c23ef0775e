import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

interface Layer {
  readonly imports: readonly string[];
  readonly pure: boolean;
  /** npm packages a pure folder may use; one import of a package with Node types makes Node's globals compile there. */
  readonly packages?: readonly string[];
}

/** The import table of the design, as data. */
const layers: { readonly [folder: string]: Layer } = {
  core: { imports: [], pure: true, packages: ["js-yaml", "re2js", "@noble/hashes", "zod", "croner", "ical.js"] },
  languages: { imports: ["core"], pure: true, packages: ["@noble/hashes", "@noble/curves"] },
  policies: { imports: ["core", "languages"], pure: true, packages: ["js-yaml", "zod"] },
  engine: { imports: ["core", "policies"], pure: true },
  access: { imports: ["core", "languages"], pure: true, packages: ["@noble/hashes", "zod"] },
  ledger: { imports: ["core"], pure: true },
  analysis: { imports: ["core", "languages"], pure: true },
  report: { imports: ["core"], pure: true, packages: ["js-yaml", "@noble/hashes"] },
  adapters: { imports: ["core", "ledger"], pure: false },
  services: { imports: ["core", "languages", "policies", "engine", "ledger", "access", "analysis", "adapters"], pure: false },
  server: { imports: ["core", "access", "ledger", "report", "services"], pure: false },
  controllers: { imports: ["core", "report", "services"], pure: false },
  cli: {
    imports: [
      "controllers",
      "server",
      "core",
      "languages",
      "policies",
      "engine",
      "ledger",
      "access",
      "analysis",
      "report",
      "adapters",
      "services",
    ],
    pure: false,
  },
};

/** What pure code may not touch: the clock, chance, and what only one host has. */
const impure = [
  { name: "Date.now", pattern: /\bDate\.now\b/ },
  { name: "new Date()", pattern: /\bnew Date\(\s*\)/ },
  { name: "Math.random", pattern: /\bMath\.random\b/ },
  { name: "performance", pattern: /\bperformance\.(now|mark|timeOrigin)\b/ },
  { name: "process", pattern: /\bprocess\.(env|argv|hrtime|stdout|stderr|exit|cwd)\b/ },
  { name: "eval", pattern: /(?<![.\w])eval\(|\bnew Function\(/ },
];

const forbiddenNames = /(^|[-/])(utils?|helpers?|manager|misc|common)([-./]|$)/;

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name))
    .sort();
}

function importsOf(text: string): string[] {
  const found = text.matchAll(
    /(?:^|[\s;])(?:import|export)\s[^"';]*?from\s*["']([^"']+)["']|(?:^|[\s;(])import\s*\(?\s*["']([^"']+)["']/g,
  );
  return [...found].map((m) => m[1] ?? m[2] ?? "");
}

/** A file and all that it loads before it runs: not what it loads later, nor what it has types of. */
function loadedWith(first: string): ReadonlySet<string> {
  const loaded = new Set([first]);
  for (const file of loaded) {
    const text = readFileSync(join(root, file), "utf8").replaceAll(/\bimport\(|^(?:import|export) type [^;]*;/gm, "");
    for (const specifier of importsOf(text)) if (specifier.startsWith(".")) loaded.add(join(dirname(file), specifier));
  }
  return loaded;
}

/** Code without comments and string contents, so that prose about the clock is not taken for its use. */
function codeOnly(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, "").replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');
}

const isTest = (file: string) => /\.test(ing)?\.ts$/.test(file);
const packageOf = (specifier: string) =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

function violations(file: string, folder: string, layer: Layer): string[] {
  const text = readFileSync(join(root, file), "utf8");
  const found: string[] = [];
  for (const specifier of importsOf(text)) {
    if (specifier.startsWith(".")) {
      const target = relative(join(root, "src"), normalize(join(root, dirname(file), specifier))).split("/")[0] ?? "";
      if (target !== folder && !layer.imports.includes(target)) found.push(`${file} imports ${target} (${specifier})`);
    } else if (packageOf(specifier) === "castellan") {
      found.push(`${file} imports the package by its own name`);
    } else if (layer.pure && (specifier.startsWith("node:") || !(layer.packages ?? []).includes(packageOf(specifier)))) {
      found.push(`${file} is pure and imports ${specifier}`);
    }
  }
  if (layer.pure) {
    const code = codeOnly(text);
    for (const { name, pattern } of impure) if (pattern.test(code)) found.push(`${file} is pure and uses ${name}`);
  }
  return found;
}

describe("structure", () => {
  test("every folder of src has a row in the table", () => {
    const folders = readdirSync(join(root, "src"), { withFileTypes: true }).filter((e) => e.isDirectory());
    expect(folders.map((e) => e.name).sort()).toEqual(Object.keys(layers).sort());
  });

  test.each(Object.entries(layers))("src/%s imports only what the table allows", (folder, layer) => {
    const found = sources(join("src", folder))
      .filter((f) => !isTest(f))
      .flatMap((file) => violations(file, folder, layer));
    expect(found).toEqual([]);
  });

  test.each(Object.entries(layers))("the project references of src/%s are the table's row", (folder, layer) => {
    const config = JSON.parse(readFileSync(join(root, "src", folder, "tsconfig.json"), "utf8")) as {
      references: { path: string }[];
      compilerOptions: { types?: string[] };
    };
    expect(config.references.map((r) => r.path.replace("../", "")).sort()).toEqual([...layer.imports].sort());
    expect(config.compilerOptions.types ?? []).toEqual(layer.pure ? [] : ["node"]);
  });

  test("a scan loads Rego, and the curves of its signatures, only for who has policies in it", () => {
    const loaded = loadedWith("src/cli/run-scan.ts");
    expect(loaded.has("src/services/scan.ts")).toBe(true);
    expect([...loaded].filter((file) => file.startsWith("src/languages/rego/"))).toEqual([]);
  });

  test("no file or folder is named after a pattern", () => {
    expect(sources("src").filter((file) => forbiddenNames.test(file))).toEqual([]);
  });

  test("no source file is over 600 lines", () => {
    const long = sources("src").filter(
      (f) => !f.endsWith(".gen.ts") && readFileSync(join(root, f), "utf8").split("\n").length > 600,
    );
    expect(long).toEqual([]);
  });

  test("the checks find what they look for", () => {
    expect(importsOf('import { a } from "../core/a.ts";\nexport * from "x";\nconst b = await import("node:fs");')).toEqual([
      "../core/a.ts",
      "x",
      "node:fs",
    ]);
    expect(
      impure.filter(({ pattern }) => pattern.test(codeOnly('const t = Date.now(); // "Math.random"'))).map((i) => i.name),
    ).toEqual(["Date.now"]);
  });
});
