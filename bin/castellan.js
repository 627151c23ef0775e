#!/usr/bin/env node
// Plain JavaScript that old versions of Node can read: it finds a Node that can run the rest.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { constants } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";

const oldestNode = 24;
const main = newestMain();

/** The bundle, which starts in a third of the time, unless one of its parts was built after it. */
function newestMain() {
  const dist = new URL("../dist/", import.meta.url);
  const bundle = new URL("bundle/cli/main.js", dist);
  const parts = new URL("cli/main.js", dist);
  if (!existsSync(bundle)) return parts;
  const { mtimeMs } = statSync(bundle);
  const built = readdirSync(dist).map((name) => statSync(new URL(`${name}/.tsbuildinfo`, dist), { throwIfNoEntry: false }));
  return built.some((info) => info !== undefined && info.mtimeMs > mtimeMs) ? parts : bundle;
}

/** The Node that this package depends on, beside or above it. */
function ownNode() {
  const name = process.platform === "win32" ? "node.exe" : "node";
  for (let at = new URL("../", import.meta.url); ; at = new URL("../", at)) {
    const path = fileURLToPath(new URL(`node_modules/node/bin/${name}`, at));
    if (existsSync(path)) return path;
    if (new URL("../", at).href === at.href) return undefined;
  }
}

function stop(message) {
  process.stderr.write(`castellan: ${message}\n`);
  process.exitCode = 3;
}

const [option, ...more] = process.argv.slice(2);
if (more.length === 0 && (option === "--version" || option === "-V")) {
  // Answered here, as another process would cost more than the answer.
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  process.stdout.write(`${version}\n`);
} else if (!existsSync(main)) {
  stop("it is not built. Run `npm run build` in its folder first.");
} else if (Number.parseInt(process.versions.node, 10) >= oldestNode) {
  await import(main.href);
} else {
  const node = ownNode();
  if (node === undefined) {
    stop(
      `it needs Node ${oldestNode} or newer, this is ${process.version}. Install one, or the npm package \`node\` beside castellan.`,
    );
  } else {
    const child = spawn(node, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: "inherit" });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
    child.on("error", (error) => stop(`could not start ${node}: ${error.message}`));
    child.on("exit", (code, signal) => {
      process.exitCode = signal === null ? (code ?? 3) : 128 + constants.signals[signal];
    });
  }
}
