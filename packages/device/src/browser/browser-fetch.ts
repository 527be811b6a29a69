import type { Fetch } from "../platform.ts";
import { unshared } from "./browser-crypto.ts";

/**
 * The browser's fetch. No cookie travels, no redirect is followed and no referrer is told: the protocol has
 * none of them. Nothing enters the browser's cache: the device keeps blobs itself, and `forget()` erases them.
 */
export const browserFetch: Fetch = async ({ method, url, headers, body, signal }) => {
  const response = await fetch(url, {
    method, headers, signal,
    ...(body === null ? {} : { body: unshared(body) }),
    mode: "cors", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer", cache: "no-store",
  });
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: chunksOf(response.body),
  };
};

/** A stream's chunks. No generator: its `return` frees the connection even where nobody read a chunk. */
function chunksOf(stream: ReadableStream<Uint8Array> | null): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => {
      const reader = stream?.getReader();
      return {
        next: async () => {
          const chunk = await reader?.read();
          return chunk?.value === undefined ? { done: true, value: undefined } : { done: false, value: chunk.value };
        },
        return: async () => {
          await reader?.cancel();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
