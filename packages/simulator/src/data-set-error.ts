/** The world did not hold the data that was asked for: a file that is missing, short, corrupt, or not what it should be. */
export class DataSetError extends Error {
  override readonly name = "DataSetError";
}
