import { transact, valueAt } from "./browser-database.ts";

/** The person's consent: kept until they change it, the same in all tabs of the profile. None was given until one is. */
export class Consent {
  readonly #database: IDBDatabase;
  readonly #tabs: BroadcastChannel;
  readonly #onChange: (isGiven: boolean) => void;
  #isGiven = false;

  private constructor(database: IDBDatabase, onChange: (isGiven: boolean) => void) {
    this.#database = database;
    this.#onChange = onChange;
    this.#tabs = new BroadcastChannel(`${database.name}/consent`);
    // A consent that cannot be read is none: its database may be gone with the profile's data.
    this.#tabs.addEventListener("message", () => void this.#read().catch(() => this.#turn(false)));
  }

  /** The kept consent. @param onChange told of every change, of other tabs' as well. */
  static async open(database: IDBDatabase, onChange: (isGiven: boolean) => void): Promise<Consent> {
    const consent = new Consent(database, onChange);
    await consent.#read();
    return consent;
  }

  get isGiven(): boolean {
    return this.#isGiven;
  }

  /** Durable once resolved. Consent that is withdrawn counts at once, consent that is given once it is kept. */
  async set(isGiven: boolean): Promise<void> {
    if (!isGiven) this.#turn(false);
    await transact(this.#database, ["setting"], (transaction) => transaction.objectStore("setting").put(isGiven, "consent"));
    this.#turn(isGiven);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel is of one origin
    this.#tabs.postMessage(null);
  }

  /** What is kept counts, not what a message says: two tabs may change it at the same time. */
  async #read(): Promise<void> {
    this.#turn((await valueAt(this.#database, "setting", "consent")) === true);
  }

  #turn(isGiven: boolean): void {
    if (this.#isGiven === isGiven) return;
    this.#isGiven = isGiven;
    this.#onChange(isGiven);
  }
}
