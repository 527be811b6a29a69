import * as Type from "typebox";
import type { Static } from "typebox";
import { textCharactersMax } from "./limits.ts";

/**
 * When the same request may be sent again: `now` at once (3 tries, 5 s apart), `transient` after
 * 15 min ± 20 %, `permanent` after 4 h ± 20 %, `never` not in this form.
 */
export type RetryClass = "now" | "transient" | "permanent" | "never";

/** Every refusal of the server: HTTP status, retry class, and a text that is safe to show. */
export const errorCodes = {
  "malformed": { status: 400, retry: "never", text: "The message does not match its schema." },
  "token-invalid": { status: 401, retry: "never", text: "The capability token is missing, forged or belongs to another assignment." },
  "certificate-invalid": { status: 401, retry: "never", text: "The certificate or its signature does not verify." },
  "forbidden": { status: 403, retry: "never", text: "The credentials do not allow this." },
  "unknown-population": { status: 404, retry: "permanent", text: "There is no such population here." },
  "unknown-task": { status: 404, retry: "permanent", text: "There is no such task in this population." },
  "unknown-model": { status: 404, retry: "permanent", text: "There is no such model version." },
  "unknown-assignment": { status: 404, retry: "never", text: "There is no such assignment." },
  "unknown-blob": { status: 404, retry: "never", text: "There is no blob with this hash." },
  "not-found": { status: 404, retry: "never", text: "There is nothing at this address." },
  "task-exists": { status: 409, retry: "never", text: "A different task of this name exists." },
  "task-conflict": { status: 409, retry: "never", text: "The task's state does not allow this." },
  "report-conflict": { status: 409, retry: "never", text: "Another report was sent for this assignment." },
  "token-expired": { status: 410, retry: "never", text: "The assignment has expired." },
  "round-closed": { status: 410, retry: "never", text: "The round no longer takes reports." },
  "length-required": { status: 411, retry: "never", text: "A report needs a Content-Length." },
  "body-too-large": { status: 413, retry: "never", text: "The body is over the limit." },
  "unsupported-media-type": { status: 415, retry: "never", text: "The body has another content type than expected." },
  "range-not-satisfiable": { status: 416, retry: "never", text: "The range lies outside the blob." },
  "report-wrong-length": { status: 422, retry: "never", text: "The report has another length than the plan." },
  "report-not-finite": { status: 422, retry: "never", text: "The report holds NaN or infinity." },
  "report-out-of-range": { status: 422, retry: "never", text: "The report lies outside the plan's bounds." },
  "upgrade-required": { status: 426, retry: "permanent", text: "This protocol version is not served here." },
  "rate-limited": { status: 429, retry: "transient", text: "Too many requests." },
  "internal": { status: 500, retry: "transient", text: "The server failed; nothing was changed." },
  "overloaded": { status: 503, retry: "transient", text: "The server is busy; come back later." },
  "storage-full": { status: 507, retry: "transient", text: "The server cannot store more at present." },
} as const satisfies Record<string, { readonly status: number; readonly retry: RetryClass; readonly text: string }>;

export type ErrorCode = keyof typeof errorCodes;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}

/** The body of every answer that is not a success. A device knows codes it has never seen by their retry class. */
export const ErrorBodySchema = Type.Object({
  error: Type.Object({
    code: Type.String({ maxLength: 64 }),
    retry: Type.Union([Type.Literal("now"), Type.Literal("transient"), Type.Literal("permanent"), Type.Literal("never")]),
    message: Type.String({ maxLength: textCharactersMax }),
    /** JSON pointer of the fault, for `malformed`. */
    path: Type.Optional(Type.String({ maxLength: textCharactersMax })),
    /** Wait at least this long; overrides the class's own delay. */
    retryAfterMs: Type.Optional(Type.Number({ minimum: 0 })),
  }),
});
export type ErrorBody = Static<typeof ErrorBodySchema>;
