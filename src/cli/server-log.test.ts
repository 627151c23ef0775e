import { describe, expect, test } from "vitest";
import { serverLog } from "./server-log.ts";

function written(format: "text" | "json"): { readonly lines: string[]; readonly log: ReturnType<typeof serverLog> } {
  const lines: string[] = [];
  const io = { err: (text: string) => void lines.push(text), now: () => Date.parse("2026-11-21T10:00:00Z") };
  return { lines, log: serverLog(format, io) };
}

const answered = { id: "r1", method: "GET", path: "/api/v1/findings", status: 200, milliseconds: 3, user: "ada" };

describe("what a server tells", () => {
  test("people read lines", () => {
    const { lines, log } = written("text");
    log.trouble(new Error("no disk"), { part: "ledger" });
    log.trouble("odd", { request: "GET /api/v1/x" });
    log.say("it begins");
    log.answered(answered);
    expect(lines).toEqual(["castellan: no disk\n", "castellan: GET /api/v1/x: odd\n", "it begins\n"]);
  });

  test("programs read JSON with the request's id", () => {
    const { lines, log } = written("json");
    log.trouble(Object.assign(new Error("no disk"), { code: "LEDGER_BUSY" }), { part: "ledger" });
    log.answered(answered);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: 50,
        time: "2026-11-21T10:00:00.000Z",
        program: "castellan",
        part: "ledger",
        code: "LEDGER_BUSY",
        msg: "no disk",
      },
      { level: 30, time: "2026-11-21T10:00:00.000Z", program: "castellan", ...answered, msg: "answered" },
    ]);
  });
});
