import { admissionBench } from "./admission.ts";
import { type BenchRow, isMet } from "./bench.ts";
import { celBench } from "./cel.ts";
import { celPoliciesBench } from "./cel-policies.ts";
import { clusterBench } from "./cluster.ts";
import { commandBench } from "./command.ts";
import { flowsBench } from "./flows.ts";
import { gatewayBench } from "./gateway.ts";
import { ledgerBench, ledgerPostgresBench } from "./ledger.ts";
import { loadingBench } from "./loading.ts";
import { networkBench } from "./network.ts";
import { patternBench } from "./pattern.ts";
import { rbacBench } from "./rbac.ts";
import { regoBench } from "./rego.ts";
import { scanBench } from "./scan.ts";

const benches = [
  scanBench,
  commandBench,
  loadingBench,
  patternBench,
  celBench,
  celPoliciesBench,
  regoBench,
  rbacBench,
  networkBench,
  flowsBench,
  clusterBench,
  admissionBench,
  gatewayBench,
  ledgerBench,
  ledgerPostgresBench,
];

function line(bench: string, row: BenchRow): string {
  const { ours, peer, unit, target } = row;
  const number = (n: number) => `${n.toFixed(n < 10 ? 2 : 0)} ${unit}`;
  const ratio = peer === undefined ? "" : `${(peer / ours).toFixed(1)}x`;
  const wanted = target === undefined ? "" : "atMost" in target ? `<= ${number(target.atMost)}` : `>= ${target.timesLess}x`;
  const met = isMet(row);
  const verdict = met === undefined ? "" : met ? "met" : "MISSED";
  const cells = [
    `${bench}: ${row.name}`.padEnd(36),
    number(ours).padStart(10),
    (peer === undefined ? "-" : number(peer)).padStart(12),
  ];
  return [...cells, ratio.padStart(8), wanted.padStart(12), verdict.padStart(8)].join("");
}

const wanted = process.argv.slice(2);
let missed = 0;
console.log(
  [`${"bench".padEnd(36)}`, "ours".padStart(10), "peer".padStart(12), "ratio".padStart(8), "target".padStart(12)].join(""),
);
for (const bench of benches.filter((b) => wanted.length === 0 || wanted.includes(b.name))) {
  const { rows, skipped } = await bench.run();
  for (const row of rows) {
    console.log(line(bench.name, row));
    if (isMet(row) === false) missed++;
  }
  if (skipped !== undefined) console.log(`${bench.name}: not run: ${skipped}`);
}
process.exitCode = missed > 0 ? 1 : 0;
