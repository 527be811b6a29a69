/** Where a command writes: results on one stream, troubles on the other. */
export type Output = {
  /** A person looks on: a line may be drawn over. */
  readonly isTerminal: boolean;
  /** Width of that terminal, in characters. */
  readonly columnCount: number;
  write(text: string): void;
  writeError(text: string): void;
};

/** The streams of this process. */
export function processOutput(): Output {
  const { stdout, stderr } = process;
  return {
    isTerminal: stdout.isTTY,
    columnCount: stdout.isTTY ? stdout.columns : 80,
    write: (text) => void stdout.write(text),
    writeError: (text) => void stderr.write(text),
  };
}

/** One JSON object on one line. */
export function jsonLine(object: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(object)}\n`;
}
