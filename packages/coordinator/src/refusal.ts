import { errorCodes, type ErrorBody, type ErrorCode } from "@tutti/protocol";

/** An expected refusal of a request; `http-server` turns it into status and body. */
export type Refusal = {
  readonly kind: "refusal";
  readonly code: ErrorCode;
  /** What was wrong, safe to show; the code's own text when absent. */
  readonly detail?: string;
  /** JSON pointer of the fault. */
  readonly path?: string;
  readonly retryAfterMs?: number;
};

export function refuse(code: ErrorCode, fields: Omit<Refusal, "kind" | "code"> = {}): Refusal {
  return { kind: "refusal", code, ...fields };
}

export function malformed(fault: { readonly path: string; readonly expected: string }): Refusal {
  return refuse("malformed", { path: fault.path, detail: `${fault.path} ${fault.expected}` });
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "refusal";
}

export function errorBody(refusal: Refusal): ErrorBody {
  const { retry, text } = errorCodes[refusal.code];
  return {
    error: {
      code: refusal.code,
      retry,
      message: refusal.detail === undefined ? text : `${text} ${refusal.detail}`.slice(0, 500),
      ...(refusal.path === undefined ? {} : { path: refusal.path }),
      ...(refusal.retryAfterMs === undefined ? {} : { retryAfterMs: refusal.retryAfterMs }),
    },
  };
}
