import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { nameOf } from "../../core/kubernetes.ts";
import { type LoadedState, WatchedPaths } from "./watched-paths.ts";

const directory = mkdtempSync(join(tmpdir(), "castellan-watched-"));
afterAll(() => rmSync(directory, { recursive: true }));

const manifest = (name: string) => `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}}}`;
const names = ({ documents }: Pick<LoadedState, "documents">) => documents.map(({ value }) => nameOf(value as never));

test("edits, new files and a swapped link are loaded; the commit of a checkout is told", async () => {
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", directory, "-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
      encoding: "utf8",
    }).trim();
  git("init", "-q");
  for (const version of ["a", "b"]) {
    mkdirSync(join(directory, version));
    writeFileSync(join(directory, version, "one.yaml"), manifest(`one-${version}`));
  }
  symlinkSync("a", join(directory, "current"));
  git("add", ".");
  git("commit", "-qm", "policies");
  const states: LoadedState[] = [];
  const watched = new WatchedPaths([join(directory, "current")], {
    onChange: (state) => states.push(state),
    onTrouble: (error) => {
      throw error;
    },
    every: 5,
  });
  const next = async () => {
    for (let i = 0; i < 1000 && states.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 5));
    return states.splice(0).at(-1) ?? { documents: [], commit: undefined };
  };
  const first = await watched.start([join(directory, "current")]);
  expect([names(first), first.commit]).toEqual([["one-a"], git("rev-parse", "HEAD")]);
  writeFileSync(join(directory, "a/two.yaml"), manifest("two"));
  expect(names(await next())).toEqual(["one-a", "two"]);
  writeFileSync(join(directory, "a/two.yaml"), manifest("second"));
  expect(names(await next())).toEqual(["one-a", "second"]);
  symlinkSync("b", join(directory, "next"));
  renameSync(join(directory, "next"), join(directory, "current"));
  expect(names(await next())).toEqual(["one-b"]);
  await watched.stop();
});
