import { hostDevice } from "@tutti/device/browser";

/** What the bench's worker tells its page. */
export type BenchNote = { readonly pauseCount: number } | { readonly violation: string };

/** The pause that is held until the page says "go on"; the worker's name carries its number. */
const heldPause = Number(self.name);
const { port1, port2 } = new MessageChannel();
let pauseCount = 0;
let goOn: () => void = () => undefined;
port1.addEventListener("message", () => goOn());
port1.start();
addEventListener("message", ({ data }) => {
  if (data === "go on") goOn();
});
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => tell({ violation: `${violatedDirective} ${blockedURI}` }));
addEventListener("unhandledrejection", ({ reason }) => tell({ violation: String(reason) }));

function tell(note: BenchNote): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's page has no origin to name
  self.postMessage(note);
}

hostDevice({
  // The same numbers on every device of a test.
  random: { bytes: (byteCount) => new Uint8Array(byteCount).fill(7) },
  pause: () => new Promise((resolve) => {
    goOn = resolve;
    pauseCount++;
    tell({ pauseCount });
    if (pauseCount !== heldPause) port2.postMessage(null);
  }),
});
