import { expect, test } from "vitest";
import { LedgerBusy } from "../../adapters/store/ledger.ts";
import type { NewRecord } from "../../adapters/store/ledger-batch.ts";
import type { Finding } from "../../core/finding.ts";
import { FindingRecorder, findingRecords } from "./finding-records.ts";

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

test("another first look at the same objects tells nothing twice, a later change is told", () => {
  const resource = { group: "", version: "v1", kind: "Pod", namespace: "n", name: "p" };
  const finding: Finding = {
    id: "f",
    check: { policy: "p", rule: "r" },
    status: "fail",
    severity: "high",
    resource,
    message: "",
    controls: [],
  };
  const keys = (at: number, version?: string) =>
    findingRecords({ opened: [finding], closed: [] }, "c", at, version === undefined ? undefined : () => version).map(
      ({ key }) => key,
    );
  expect(keys(1, "7")).toEqual(keys(2, "7"));
  expect(keys(1, "7")).not.toEqual(keys(1, "8"));
  expect(keys(1)).not.toEqual(keys(2));
});

test("stopping ends the attempts", async () => {
  const to = ledger(Number.POSITIVE_INFINITY);
  const recorder = new FindingRecorder(to, () => {});
  recorder.take([record("a")]);
  await recorder.stop();
  expect(to.kept).toEqual([]);
});
