/** Every maximum of the wire, with its reason. Lengths are compared before memory is taken. */

/** A control message (JSON): a check-in is 300 B; 64 KiB leaves room for attestations. */
export const controlBodyBytesMax = 64 * 1024;
/** A plan document: a model of 500 layers takes about 60 KiB of JSON. */
export const planBytesMax = 1024 * 1024;
/** A model or a report: 64 M float32 parameters, far beyond what a phone trains. */
export const vectorBytesMax = 256 * 1024 * 1024;
/** The JSON header of a safetensors file: 500 tensors with names of 200 characters. */
export const safetensorsHeaderBytesMax = 1024 * 1024;
/** Tensors in one safetensors file. */
export const safetensorsTensorsMax = 4096;
/** Dimensions of one tensor. */
export const tensorRankMax = 8;
/** Tasks that one check-in's answer offers: a device takes part in one at a time. */
export const offeredTasksMax = 32;
/** Characters of a population's or a task's name: it becomes part of ids and URLs. */
export const nameCharactersMax = 63;
/** Characters of a free text that a person wrote (`because`, a description, an abort's detail). */
export const textCharactersMax = 500;
/** Examples that one device may give to one report; also the bound of a weight. */
export const examplesPerReportMax = 1_000_000;
/** Letters in a participation's phase string: eight phases and one ending. */
export const phaseLettersMax = 16;
/** The longest wait that a server may ask for: 30 days. A longer one is a fault. */
export const retryWindowMsMax = 30 * 24 * 3600 * 1000;
