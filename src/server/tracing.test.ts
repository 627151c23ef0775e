import { type context, propagation, SpanStatusCode, trace } from "@opentelemetry/api";
import { afterAll, expect, test } from "vitest";
import { traced } from "./tracing.ts";

afterAll(() => {
  trace.disable();
  propagation.disable();
});

test("without an SDK it is the work alone", async () => {
  expect(await traced("a", { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" }, {}, async () => 7)).toBe(
    7,
  );
  await expect(traced("a", {}, {}, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
});

test("with one, spans begin where the caller's ends, and failures are marked", async () => {
  const told: object[] = [];
  const key = Symbol.for("caller");
  propagation.setGlobalPropagator({
    extract: (on, carrier) => on.setValue(key, (carrier as { traceparent?: string }).traceparent),
    inject: () => {},
    fields: () => [],
  });
  trace.setGlobalTracerProvider({
    getTracer: () => ({
      startSpan: () => trace.wrapSpanContext({ traceId: "", spanId: "", traceFlags: 0 }),
      startActiveSpan: (
        name: string,
        options: object,
        on: typeof context extends { active(): infer C } ? C : never,
        run: (span: object) => unknown,
      ) =>
        run({
          setStatus: ({ code }: { code: SpanStatusCode }) => told.push({ name, code }),
          end: () => told.push({ name, ...options, caller: on.getValue(key) }),
        }),
    }),
  } as never);
  await traced("good", { traceparent: "tp" }, { path: "/x" }, async () => 1);
  await traced("bad", {}, {}, () => Promise.reject(new Error("no"))).catch(() => {});
  expect(told).toMatchObject([
    { name: "good", caller: "tp", attributes: { path: "/x" } },
    { name: "bad", code: SpanStatusCode.ERROR },
    { name: "bad", caller: undefined },
  ]);
});
