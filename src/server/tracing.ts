import type { IncomingHttpHeaders } from "node:http";
import { type Attributes, context, ProxyTracerProvider, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";

const name = "castellan";
const tracer = trace.getTracer(name);

/** Whether an SDK took up the tracers of this process. */
function isTraced(): boolean {
  const provider = trace.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer(name) !== undefined;
}

/**
 * Runs `work` in a span that goes on from the caller's `traceparent`. Without an SDK of OpenTelemetry in the process, which is how it is
 * unless somebody loads one (`node --import`), it is `work` alone.
 */
export function traced<T>(
  span: string,
  headers: IncomingHttpHeaders,
  attributes: Attributes,
  work: () => Promise<T>,
): Promise<T> {
  if (!isTraced()) return work();
  const caller = propagation.extract(context.active(), headers);
  return tracer.startActiveSpan(span, { kind: SpanKind.SERVER, attributes }, caller, async (active) => {
    try {
      return await work();
    } catch (error) {
      active.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
      throw error;
    } finally {
      active.end();
    }
  });
}
