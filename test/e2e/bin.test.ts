import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "castellan-bin-"));
const bin = join(folder, "bin/castellan.js");

/** A Node too old for the program, where the machine has one. */
const oldNode = ["/usr/bin/node", "/usr/local/bin/node"].find((path) => {
  const { status, stdout } = spawnSync(path, ["-p", "process.versions.node"], { encoding: "utf8" });
  return status === 0 && Number.parseInt(stdout, 10) < 24;
});

/** A package whose program tells its Node and arguments, then ends as it is asked to. */
const program = `
const [first] = process.argv.slice(2);
if (first === "wait") { process.on("SIGTERM", () => process.exit(42)); setInterval(() => {}, 1000); }
else process.exitCode = Number(first);
console.log(process.version, ...process.argv.slice(2));
`;

beforeAll(() => {
  cpSync(join(root, "bin"), join(folder, "bin"), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{"type": "module", "version": "1.2.3"}');
  mkdirSync(join(folder, "dist/cli"), { recursive: true });
  writeFileSync(join(folder, "dist/cli/main.js"), program);
});
afterAll(() => rmSync(folder, { recursive: true }));

const start = (node: string, ...args: readonly string[]) => spawnSync(node, [bin, ...args], { encoding: "utf8" });

test("as a plugin of kubectl it is the same program, under the name that kubectl looks for", () => {
  const { bin: names } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const link = join(folder, "kubectl-castellan");
  symlinkSync(join(folder, names["kubectl-castellan"]), link);
  const { stdout, status } = spawnSync(process.execPath, [link, "2", "request", "list"], { encoding: "utf8" });
  expect([stdout, status]).toEqual([`${process.version} 2 request list\n`, 2]);
});

describe("a Node that is new enough", () => {
  test("answers --version", () => expect(start(process.execPath, "--version").stdout).toBe("1.2.3\n"));

  test("runs the program itself, with its arguments and exit code", () => {
    const { stdout, status } = start(process.execPath, "2", "--x");
    expect([stdout, status]).toEqual([`${process.version} 2 --x\n`, 2]);
  });

  test("runs the bundle, unless a part was built after it", () => {
    const copy = mkdtempSync(join(folder, "bundle-"));
    cpSync(join(root, "bin"), join(copy, "bin"), { recursive: true });
    writeFileSync(join(copy, "package.json"), '{"type": "module"}');
    const put = (name: string, text: string, age: number) => {
      mkdirSync(join(copy, name, ".."), { recursive: true });
      writeFileSync(join(copy, name), text);
      utimesSync(join(copy, name), 1000 - age, 1000 - age);
    };
    const run = () => spawnSync(process.execPath, [join(copy, "bin/castellan.js"), "x"], { encoding: "utf8" }).stdout;
    put("dist/cli/main.js", "console.log('parts')", 30);
    put("dist/bundle/cli/main.js", "console.log('bundle')", 20);
    put("dist/engine/.tsbuildinfo", "{}", 30);
    expect(run()).toBe("bundle\n");
    put("dist/engine/.tsbuildinfo", "{}", 10);
    expect(run()).toBe("parts\n");
  });

  test("says when nothing is built", () => {
    const bare = mkdtempSync(join(folder, "bare-"));
    cpSync(join(root, "bin"), join(bare, "bin"), { recursive: true });
    const { status, stderr } = spawnSync(process.execPath, [join(bare, "bin/castellan.js"), "scan"], { encoding: "utf8" });
    expect([status, stderr]).toEqual([3, expect.stringContaining("npm run build")]);
  });
});

describe.skipIf(oldNode === undefined)("an older Node", () => {
  const node = oldNode ?? "";

  test("answers --version itself", () => expect(start(node, "-V").stdout).toBe("1.2.3\n"));

  test("says what it needs where no newer one is beside it", () => {
    const { status, stderr } = start(node, "scan");
    expect([status, stderr]).toEqual([3, expect.stringMatching(/needs Node 24 or newer, this is v\d+/)]);
  });

  test("hands over to the package's own Node, with exit code and signals", async () => {
    mkdirSync(join(folder, "node_modules/node/bin"), { recursive: true });
    symlinkSync(process.execPath, join(folder, "node_modules/node/bin/node"));
    const { stdout, status } = start(node, "1", "a b");
    expect([stdout, status]).toEqual([`${process.version} 1 a b\n`, 1]);
    const child = spawn(node, [bin, "wait"], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGTERM");
    expect(await new Promise((resolve) => child.on("exit", resolve))).toBe(42);
  });
});

test("the version of the package is a version", () => {
  expect(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version).toMatch(/^\d+\.\d+\.\d+/);
});
