import { instantMs, type InstantMs } from "@tutti/base";

/** This machine's clock: the command line measures what it shows and decides nothing by it. */
export function systemNow(): InstantMs {
  return instantMs(Date.now());
}
