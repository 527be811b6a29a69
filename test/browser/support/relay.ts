import { createServer, request as ask, type IncomingMessage } from "node:http";
import { listening } from "./listening.ts";

/** A request that passed the relay. */
export type Relayed = { readonly call: string; readonly body: Buffer };

/** What stands between devices and a coordinator and passes everything on, byte for byte. */
export type Relay = {
  readonly url: string;
  readonly relayed: readonly Relayed[];
  /** Resolves when a request that `isMeant` passes arrives; it and whatever follows are never answered. */
  holdFrom(isMeant: (call: string) => boolean): Promise<void>;
  /** Answers what comes from now on. */
  release(): void;
  close(): Promise<void>;
};

/** A relay to the coordinator at `target`. */
export async function startRelay(target: string): Promise<Relay> {
  const relayed: Relayed[] = [];
  let held: { readonly isMeant: (call: string) => boolean; readonly arrived: () => void } | null = null;
  let isHolding = false;
  const server = createServer((incoming, outgoing) => {
    void bodyOf(incoming).then((body) => {
      const call = `${incoming.method ?? ""} ${incoming.url ?? ""}`;
      isHolding ||= held?.isMeant(call) === true;
      if (isHolding) {
        held?.arrived();
        return;
      }
      relayed.push({ call, body });
      const passed = ask(target + (incoming.url ?? "/"), { method: incoming.method ?? "GET", headers: { ...incoming.headers, "content-length": body.length } }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      passed.on("error", () => outgoing.destroy());
      passed.end(body);
    }, () => outgoing.destroy());
  });
  const { origin, close } = await listening(server);
  return {
    url: origin, relayed, close,
    holdFrom: (isMeant) => new Promise((resolve) => {
      held = { isMeant, arrived: resolve };
    }),
    release: () => {
      held = null;
      isHolding = false;
    },
  };
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
