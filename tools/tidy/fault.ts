/** One place that breaks a rule of the house. `line` counts from 1; 0 means the whole file. */
export interface Fault {
  readonly check: string;
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

export function faultLine(fault: Fault): string {
  return `${fault.path}${fault.line > 0 ? `:${fault.line}` : ""}  ${fault.check}: ${fault.message}`;
}
