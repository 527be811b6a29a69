/** Bounds of a model that came from a server; each is checked before memory is taken. */

/** Layers of one model: a 50-block residual network has about 400. */
export const layerCountMax = 512;
/** Characters of a layer's name: names become tensor names in the safetensors header. */
export const layerNameCharactersMax = 64;
/** Dimensions of one example's tensor, without the batch: images have three. */
export const exampleRankMax = 4;
/** One extent (units, filters, length): float32 holds every token id below 2^24 exactly. */
export const extentMax = 2 ** 24;
/** Numbers of one example in one layer: 16 M floats are 64 MiB. */
export const exampleElementsMax = 2 ** 24;
/** Parameters of one model: 64 M float32 fill the largest blob that the protocol carries. */
export const parameterCountMax = 2 ** 26;
/** Inputs of one `add` or `concat`. */
export const joinCountMax = 16;
/** Extent of a convolution's or a pool's window along one axis. */
export const windowMax = 64;
/** Examples of one minibatch. */
export const batchSizeMax = 65_536;
/** Bytes that one trainer may take: what a 32-bit WebAssembly memory leaves to a phone's tab. */
export const trainerBytesMax = 2 ** 31;
/** Passes over the local examples; Ditto and fine-tuning use tens. */
export const epochCountMax = 10_000;
/** Optimizer steps of one job. */
export const stepCountMax = 10_000_000;
/** Milliseconds that one job may train: a day. */
export const trainingMsMax = 86_400_000;
