import { createReadStream, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { createGunzip } from "node:zlib";
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { JsonValue } from "../../core/json.ts";
import { pathDiagnostic } from "./loaded-paths.ts";

/** Broken lines that are named; the rest is counted. */
const namedLines = 5;

/**
 * Hands every line of audit logs to `add`: files, gzipped ones, folders of them, `-` for standard input. Lines that are not
 * JSON are `AUDIT_EVENT_INVALID` errors, and the rest is still read. Memory does not grow with the log.
 */
export async function readAuditLogs(paths: readonly string[], add: (event: JsonValue) => void): Promise<readonly Diagnostic[]> {
  const diagnostics: Diagnostic[] = [];
  for (const path of paths.flatMap((p) => filesIn(p, diagnostics))) {
    try {
      await readLines(path, add, diagnostics);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      diagnostics.push(pathDiagnostic("FILE_UNREADABLE", path, message));
    }
  }
  return diagnostics;
}

function filesIn(path: string, diagnostics: Diagnostic[]): readonly string[] {
  if (path === "-") return [path];
  try {
    if (!statSync(path).isDirectory()) return [path];
    const files = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isFile());
    return files.map((entry) => join(path, entry.name)).sort();
  } catch {
    diagnostics.push(pathDiagnostic("FILE_NOT_FOUND", path, "there is no such file or directory"));
    return [];
  }
}

function open(path: string): Readable {
  if (path === "-") return process.stdin;
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  if (!path.endsWith(".gz")) return file;
  const gunzip = createGunzip({ chunkSize: 1 << 18 });
  // pipe does not pass errors on.
  file.on("error", (error) => gunzip.destroy(error));
  return file.pipe(gunzip);
}

async function readLines(path: string, add: (event: JsonValue) => void, diagnostics: Diagnostic[]): Promise<void> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let line = 0;
  let broken = 0;
  const take = (text: string) => {
    line++;
    if (text.trim() === "") return;
    let value: JsonValue;
    try {
      value = JSON.parse(text);
    } catch {
      if (++broken <= namedLines) diagnostics.push(invalid(path, line, "the line is not JSON"));
      return;
    }
    add(value);
  };
  for await (const chunk of open(path)) {
    const text = rest + decoder.write(chunk);
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      take(text.slice(start, end));
      start = end + 1;
    }
    rest = text.slice(start);
  }
  rest += decoder.end();
  if (rest !== "") take(rest);
  if (broken > namedLines) diagnostics.push(invalid(path, line, `${broken - namedLines} more lines are not JSON`));
}

function invalid(file: string, line: number, message: string): Diagnostic {
  const position = { offset: 0, line, column: 1 };
  return { code: "AUDIT_EVENT_INVALID", severity: "error", message, span: { file, start: position, end: position } };
}
