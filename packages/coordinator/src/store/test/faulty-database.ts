import { SqliteDatabase } from "../sqlite-database.ts";

/** A database whose disk can refuse to empty the log, and which counts its transactions. */
export class FaultyDatabase extends SqliteDatabase {
  refusesErasure = false;
  transactionCount = 0;

  override transact(work: () => void): void {
    this.transactionCount++;
    super.transact(work);
  }

  override truncateLog(): void {
    if (this.refusesErasure) throw new Error("the disk is full");
    super.truncateLog();
  }
}
