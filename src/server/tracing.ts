import type { IncomingHttpHeaders } from "node:http";
import { type Attributes, context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";

const tracer = trace.getTracer("castellan");

/**
 * Runs `work` in a span that goes on from the caller's `traceparent`. Without an SDK of OpenTelemetry in the process, which is how it is
 * unless somebody loads one (`node --import`), it is `work` alone.
 */
export function traced<T>(
  name: string,
  headers: IncomingHttpHeaders,
  attributes: Attributes,
  work: () => Promise<T>,
): Promise<T> {
  const caller = propagation.extract(context.active(), headers);
  return tracer.startActiveSpan(name, { kind: SpanKind.SERVER, attributes }, caller, async (span) => {
    try {
      return await work();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
      throw error;
    } finally {
      span.end();
    }
  });
}
