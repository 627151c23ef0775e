import { expect, test } from "vitest";
import { LedgerBusy } from "../../adapters/store/ledger.ts";
import type { NewRecord } from "../../adapters/store/ledger-batch.ts";
import type { Finding } from "../../core/finding.ts";
import { type FindingNote, FindingRecorder, findingNotes, recordOf } from "./finding-records.ts";

const finding = (name: string, id = "f"): Finding => ({
  id,
  check: { policy: "p", rule: "r" },
  status: "fail",
  severity: "high",
  resource: { group: "", version: "v1", kind: "Pod", namespace: "n", name },
  message: "",
  controls: [],
});
const note = (name: string): FindingNote => ({ kind: "finding.opened", findings: [finding(name)], at: 1, when: "1" });

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
  const recorder = new FindingRecorder(to, "c", (error) => troubles.push(error));
  recorder.take([note("a"), note("b")]);
  recorder.take([note("c")]);
  await expect.poll(() => to.kept).toEqual(["a", "b", "c"]);
  expect(troubles).toHaveLength(1);
  recorder.take([note("d")]);
  await recorder.stop();
  expect(to.kept).toEqual(["a", "b", "c", "d"]);
});

test("another first look at the same objects tells nothing twice, a later change is told", () => {
  const keys = (at: number, version?: string) =>
    findingNotes({ opened: [finding("p")], closed: [] }, at, version === undefined ? undefined : () => version).map(
      (one) => recordOf(one, "c").key,
    );
  expect(keys(1, "7")).toEqual(keys(2, "7"));
  expect(keys(1, "7")).not.toEqual(keys(1, "8"));
  expect(keys(1)).not.toEqual(keys(2));
});

test("findings of one object are one record, whatever their order; other findings of it are another", () => {
  const of = (...ids: readonly string[]) =>
    findingNotes({ opened: ids.map((id) => finding("p", id)), closed: [finding("q")] }, 1, () => "7").map((note) =>
      recordOf(note, "c"),
    );
  const [opened, closed] = of("a", "b");
  expect(opened).toMatchObject({ kind: "finding.opened", name: "p", data: { findings: [{ id: "a" }, { id: "b" }] } });
  expect(closed).toMatchObject({ kind: "finding.closed", name: "q", data: { findings: [{ id: "f" }] } });
  expect(of("b", "a")[0]?.key).toBe(opened?.key);
  expect(of("a", "c")[0]?.key).not.toBe(opened?.key);
  expect(of()).toHaveLength(1);
});

test("what comes while others are refused is written after them", async () => {
  const to = ledger(1);
  const recorder = new FindingRecorder(to, "c", () => {});
  recorder.take(Array.from({ length: 1500 }, (_, n) => note(`first-${n}`)));
  recorder.take([note("last")]);
  await expect.poll(() => to.kept).toHaveLength(1501);
  expect(to.kept[0]).toBe("first-0");
  expect(to.kept.at(-1)).toBe("last");
});

test("stopping ends the attempts", async () => {
  const to = ledger(Number.POSITIVE_INFINITY);
  const recorder = new FindingRecorder(to, "c", () => {});
  recorder.take([note("a")]);
  await recorder.stop();
  expect(to.kept).toEqual([]);
});
