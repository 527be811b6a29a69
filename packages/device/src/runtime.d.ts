// What every JavaScript runtime has and the language's own library does not declare. Never emitted.
interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
  throwIfAborted(): void;
}
// The maker of an AbortSignal: a participation makes one that its conditions, its deadline and its app can end.
declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}
