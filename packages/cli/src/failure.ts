/** The world did not do what was asked: a file, a server, a folder. Printed as one line, exit code 1. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
}

/** Errors of a port that are expected and explain themselves: their message is printed without a stack. */
const expectedErrors = new Set(["CommandFailure", "StartRefusedError", "PortInUseError", "DataFolderLockedError", "DataFolderCorruptError", "StoreFullError", "CheckpointCorruptError", "BlobCorruptError", "DataSetError"]);

/** What a person reads about a command that failed: one line for a trouble of the world, the stack for a fault of ours. */
export function failureText(cause: unknown): string {
  if (!(cause instanceof Error)) return `tutti: ${String(cause)}\n`;
  const isOfTheSystem = "syscall" in cause;
  return expectedErrors.has(cause.name) || isOfTheSystem ? `tutti: ${cause.message}\n` : `tutti: a fault of Tutti's own\n${cause.stack ?? cause.message}\n`;
}
