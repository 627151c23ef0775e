import { expect, test } from "vitest";
import { LedgerBusy } from "../../adapters/store/ledger.ts";
import type { NewRecord } from "../../adapters/store/ledger-batch.ts";
import { FindingRecorder } from "./finding-records.ts";

const record = (name: string): NewRecord => ({ kind: "finding.opened", at: 1, cluster: "c", name, data: {} });

/** A ledger that refuses the first calls. */
function ledger(refusals: number) {
  const kept: (string | undefined)[] = [];
  let calls = 0;
  return {
    kept,
    append: async (records: readonly NewRecord[]) => {
      if (calls++ < refusals) throw new LedgerBusy(20_000);
      kept.push(...records.map(({ name }) => name));
      return records.map((_, seq) => ({ seq }));
    },
  };
}

test("what a busy ledger refused is written later, in order, and told once", async () => {
  const to = ledger(2);
  const troubles: unknown[] = [];
  const recorder = new FindingRecorder(to, (error) => troubles.push(error));
  recorder.take([record("a"), record("b")]);
  recorder.take([record("c")]);
  await expect.poll(() => to.kept).toEqual(["a", "b", "c"]);
  expect(troubles).toHaveLength(1);
  recorder.take([record("d")]);
  await recorder.stop();
  expect(to.kept).toEqual(["a", "b", "c", "d"]);
});

test("stopping ends the attempts", async () => {
  const to = ledger(Number.POSITIVE_INFINITY);
  const recorder = new FindingRecorder(to, () => {});
  recorder.take([record("a")]);
  await recorder.stop();
  expect(to.kept).toEqual([]);
});
