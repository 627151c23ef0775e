import { createReadStream, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { createGunzip } from "node:zlib";
import type { Diagnostic } from "../../core/diagnostic.ts";
import { pathDiagnostic } from "./loaded-paths.ts";

/** Who takes the lines of a file; `begin` and `end` enclose them. Reading waits for a line that answers with a promise. */
export interface LineSink {
  begin?(path: string): void;
  line(text: string): Promise<void> | void | undefined;
  end?(): void;
}

/**
 * Hands every line of logs to `sink`: files, gzipped ones, folders of them, `-` for standard input (`input`, unless it is the
 * process's). What cannot be read is a diagnostic, and the rest is still read. Memory does not grow with the log.
 */
export async function readLogLines(
  paths: readonly string[],
  sink: LineSink,
  input: Readable = process.stdin,
): Promise<readonly Diagnostic[]> {
  const diagnostics: Diagnostic[] = [];
  for (const path of paths.flatMap((p) => filesIn(p, diagnostics))) {
    sink.begin?.(path);
    try {
      await readLines(open(path, input), sink);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      diagnostics.push(pathDiagnostic("FILE_UNREADABLE", path, message));
    }
    sink.end?.();
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

function open(path: string, input: Readable): Readable {
  if (path === "-") return input;
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  if (!path.endsWith(".gz")) return file;
  const gunzip = createGunzip({ chunkSize: 1 << 18 });
  // pipe does not pass errors on.
  file.on("error", (error) => gunzip.destroy(error));
  return file.pipe(gunzip);
}

async function readLines(stream: Readable, sink: LineSink): Promise<void> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const chunk of stream) {
    const text = rest + decoder.write(chunk);
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      const wait = sink.line(text.slice(start, end));
      if (wait !== undefined) await wait;
      start = end + 1;
    }
    rest = text.slice(start);
  }
  rest += decoder.end();
  if (rest !== "") await sink.line(rest);
}
