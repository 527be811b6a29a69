/** Bytes of the bodies of one kind of message, over a whole simulation. */
export type MessageBytes = {
  /** As the protocol calls it: "check-in", "report", …; "blob" is a plan or a model. */
  readonly message: string;
  readonly count: number;
  /** From devices to the coordinator, and back. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
};

type Exchanged = { readonly method: string; readonly path: string; readonly sentBytes: number; readonly receivedBytes: number };

const messages: readonly { readonly message: string; readonly method: string; readonly path: RegExp }[] = [
  { message: "enrolment", method: "POST", path: /^\/v1\/populations\/[^/]+\/devices$/ },
  { message: "check-in", method: "POST", path: /^\/v1\/populations\/[^/]+\/check-ins$/ },
  { message: "assignment", method: "POST", path: /^\/v1\/assignments$/ },
  { message: "abort", method: "POST", path: /:abort$/ },
  { message: "blob", method: "GET", path: /^\/v1\/blobs\// },
  { message: "report-begin", method: "POST", path: /:begin$/ },
  { message: "report", method: "PUT", path: /^\/v1\/reports\// },
];

/** Adds up what devices and coordinator say to each other, headers and TLS left out. */
export class WireTally {
  readonly #sums = new Map<string, MessageBytes>();

  add({ method, path, sentBytes, receivedBytes }: Exchanged): void {
    const message = messages.find((known) => known.method === method && known.path.test(path))?.message ?? "other";
    const before = this.#sums.get(message) ?? { message, count: 0, sentBytes: 0, receivedBytes: 0 };
    this.#sums.set(message, { message, count: before.count + 1, sentBytes: before.sentBytes + sentBytes, receivedBytes: before.receivedBytes + receivedBytes });
  }

  /** In the order in which the kinds first came. */
  get sums(): readonly MessageBytes[] {
    return [...this.#sums.values()];
  }
}
