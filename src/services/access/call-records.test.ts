import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { NewRecord } from "../../adapters/store/ledger-batch.ts";
import { CallRecords } from "./call-records.ts";

const refusal = (actor: string | undefined, n: number): NewRecord => ({
  kind: "access.call",
  at: n,
  cluster: "c",
  actor,
  outcome: "refused",
  key: `k${actor}${n}`,
  data: { target: "x".repeat(100) },
});

async function withRecords(
  work: (records: CallRecords, kept: readonly NewRecord[], directory: string, fail: (error: Error) => void) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "castellan-records-"));
  const kept: NewRecord[] = [];
  let fault: Error | undefined;
  const append = async (records: readonly NewRecord[]) => {
    if (fault !== undefined) throw fault;
    kept.push(...records);
    return records.map((_, seq) => ({ seq }));
  };
  const records = new CallRecords({ ledger: { append }, directory, trouble: () => {}, spoolBytes: 4000 });
  await records.start();
  await work(records, kept, directory, (error) => {
    fault = error;
  });
  await records.close();
  await rm(directory, { recursive: true });
}

test("T62 who proves nothing fills no ledger: what is not kept is counted", async () => {
  await withRecords(async (records, kept) => {
    for (let n = 0; n < 2000; n++) records.noteRefusal(refusal(undefined, n));
    records.noteRefusal(refusal("ada", 1));
    await expect.poll(() => kept.length, { timeout: 20_000 }).toBe(601);
    expect(kept.at(-1)).toMatchObject({ actor: "ada", data: { refusalsNotRecorded: 1400 } });
  });
});

test("T62 refusals do not fill the disk while the database is down", async () => {
  await withRecords(async (records, _kept, directory, fail) => {
    fail(new Error("the database is down"));
    for (let n = 0; n < 50; n++) records.noteRefusal(refusal("ada", n));
    await expect.poll(() => records.accepts, { timeout: 20_000 }).toBe(false);
    const { size } = await stat(join(directory, "gateway-spool.jsonl"));
    for (let n = 50; n < 500; n++) records.noteRefusal(refusal("ada", n));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await stat(join(directory, "gateway-spool.jsonl"))).size).toBe(size);
  });
});
