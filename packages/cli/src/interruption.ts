/** Exit code of a program that Ctrl-C ended (128 + SIGINT). */
export const interruptedExitCode = 130;

/** A signal that aborts at the first Ctrl-C (or SIGTERM); the second ends the process at once. */
export function interruptionOf(process: NodeJS.Process): AbortSignal {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(interruptedExitCode);
    controller.abort(new Error("interrupted"));
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return controller.signal;
}

/** Resolves when `signal` aborts. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  signal.addEventListener("abort", () => resolve(undefined), { once: true });
  await promise;
}
