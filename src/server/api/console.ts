import fastifyStatic from "@fastify/static";
import type { Api } from "./api.ts";

/** The console's pages and what they load, from their build. Every page is one document; the path is its business. */
export async function addConsole(api: Api, directory: string): Promise<void> {
  await api.register(fastifyStatic, { root: directory, index: ["index.html"], maxAge: "1h" });
  api.setNotFoundHandler((request, reply) => {
    const isPage =
      request.method === "GET" && !request.url.startsWith("/api/") && !/\.\w+$/.test(request.url.split("?", 1)[0] ?? "");
    if (isPage) return reply.sendFile("index.html", { maxAge: 0 });
    return reply.status(404).send({ code: "NOT_FOUND", message: `there is no ${request.url}` });
  });
}
