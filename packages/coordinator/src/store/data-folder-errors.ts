/** Another coordinator holds the data folder, or this process holds it already. */
export class DataFolderLockedError extends Error {
  override readonly name = "DataFolderLockedError";
}

/** The database of the data folder is damaged, of a newer version, or of another program. */
export class DataFolderCorruptError extends Error {
  override readonly name = "DataFolderCorruptError";
}
