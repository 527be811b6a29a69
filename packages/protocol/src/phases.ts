/**
 * A participation as a string of letters, in the order in which they happened: the counts of these
 * strings are the first figure of a fleet's health (Bonawitz et al. 2019, section 5.3). "cdtTu." is a
 * participation that went through; "cdti" one that was interrupted while it trained.
 */
export const phaseLetters = {
  checkedIn: "c",
  downloaded: "d",
  training: "t",
  trained: "T",
  uploading: "u",
  done: ".",
  refused: "r",
  interrupted: "i",
  error: "e",
} as const;

export type Phase = keyof typeof phaseLetters;
