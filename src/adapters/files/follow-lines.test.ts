import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { FollowedFile } from "./follow-lines.ts";

test("a log is followed from its beginning, through rotation and truncation", async () => {
  const directory = mkdtempSync(join(tmpdir(), "castellan-follow-"));
  const file = join(directory, "events.log");
  const lines: string[] = [];
  const troubles: string[] = [];
  const followed = new FollowedFile(file, {
    onLines: (more) => lines.push(...more),
    onTrouble: (error) => troubles.push(String(error)),
    every: 5,
  });
  const until = async (expected: readonly string[]) => {
    for (let i = 0; i < 1000 && lines.length < expected.length; i++) await sleep(5);
    expect(lines.splice(0)).toEqual(expected);
  };
  try {
    await followed.start();
    expect(troubles).toEqual([expect.stringContaining("there is no such file yet")]);
    writeFileSync(file, "one\ntwo\nthr");
    await until(["one", "two"]);
    appendFileSync(file, "ee\nfour ✓\n");
    await until(["three", "four ✓"]);
    renameSync(file, `${file}.1`);
    writeFileSync(file, "after rotation\n");
    await until(["after rotation"]);
    truncateSync(file);
    await sleep(30);
    appendFileSync(file, "short\n");
    await until(["short"]);
    expect(troubles).toHaveLength(1);
  } finally {
    await followed.stop();
    rmSync(directory, { recursive: true });
  }
});
