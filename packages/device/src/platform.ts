import type { Bytes, Clock, Result, SecureRandom } from "@tutti/base";
import type { BatchSource, EngineMissing, LocalJob, LocalResult, MetricSums, Model } from "@tutti/engine";
import type { Json } from "@tutti/protocol";

/** All that a device needs from its surroundings. Another runtime is another record, not another SDK. */
export type Platform = {
  readonly fetch: Fetch;
  readonly crypto: DeviceCrypto;
  readonly random: SecureRandom;
  readonly store: DeviceStore;
  readonly lock: Lock;
  readonly clock: Clock;
  readonly conditions: ConditionsSource;
  readonly trainer: LocalTrainer;
};

/** One HTTP exchange. Rejects when the connection fails or `signal` aborts; any status is an answer. */
export type Fetch = (request: HttpRequest) => Promise<HttpAnswer>;

export type HttpRequest = {
  readonly method: "GET" | "POST" | "PUT";
  /** Absolute. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent with its Content-Length; null for none. */
  readonly body: Uint8Array | null;
  readonly signal: AbortSignal;
};

export type HttpAnswer = {
  readonly status: number;
  /** Value of a header by its lower-case name. */
  header(name: string): string | undefined;
  /**
   * The body as it comes; iterate it once. Throws where the connection breaks. Leaving the loop early
   * frees the connection, so that a reader with a limit never takes more memory than its limit.
   */
  readonly body: AsyncIterable<Uint8Array>;
};

/** Ed25519 and SHA-256. Private keys stay behind the port, non-extractable where the platform allows. */
export interface DeviceCrypto {
  /** Makes a key pair and keeps it under `name`, replacing an older one. */
  createKey(name: string): Promise<DeviceKey>;
  /** The key kept under `name`, if any. */
  key(name: string): Promise<DeviceKey | undefined>;
  eraseKey(name: string): Promise<void>;
  /** Whether `signature` [64] is by the raw public key [32] over `bytes`; false for malformed input. */
  verify(publicKey: Uint8Array, signature: Uint8Array, bytes: Uint8Array): Promise<boolean>;
  /** [32] */
  sha256(bytes: Uint8Array): Promise<Bytes>;
}

/** A handle: the secret half never crosses the port. */
export type DeviceKey = {
  /** [32] raw Ed25519 public key. */
  readonly publicKey: Bytes;
  /** [64] Ed25519 signature. */
  sign(bytes: Uint8Array): Promise<Bytes>;
};

/** One change of the store. JSON records and byte strings have keys of their own, apart from each other. */
export type StoreWrite =
  | { readonly kind: "put-record"; readonly key: string; readonly value: Json }
  | { readonly kind: "delete-record"; readonly key: string }
  | { readonly kind: "put-bytes"; readonly key: string; readonly bytes: Uint8Array }
  | { readonly kind: "delete-bytes"; readonly key: string };

/** One device's durable memory: small JSON records and byte strings by key. */
export interface DeviceStore {
  record(key: string): Promise<Json | undefined>;
  /** The records whose keys start with `prefix`, in the order of their keys' UTF-16 units (keys are ASCII). */
  recordsUnder(prefix: string): Promise<readonly StoredRecord[]>;
  bytes(key: string): Promise<Bytes | undefined>;
  /** All writes, in their order, or none; durable once resolved. Deleting what is absent changes nothing. */
  write(writes: readonly StoreWrite[]): Promise<void>;
}

export type StoredRecord = { readonly key: string; readonly value: Json };

/** One holder at a time among all that share the device: tabs of a profile, devices of a process. */
export interface Lock {
  /** Runs `work` while holding `name`; refuses at once when another holds it. */
  ifFree<T>(name: string, work: () => Promise<T>): Promise<Result<T, { readonly code: "held" }>>;
}

/** What holds at present. Where an API is missing, the adapter says false. */
export type Conditions = {
  readonly idle: boolean;
  readonly charging: boolean;
  readonly unmetered: boolean;
  /** The person agrees to take part. Without it nothing starts, and what runs stops. */
  readonly consent: boolean;
};

export interface ConditionsSource {
  current(): Conditions;
  /** Calls `listener` after each change; the returned function ends it. */
  subscribe(listener: () => void): () => void;
}

/** Trains and evaluates off the page's thread, or in-process where there is no page. */
export interface LocalTrainer {
  /** Engines that it can use, best first: the check-in's capabilities. */
  readonly engines: readonly string[];
  /** Engine memory that it may take, in bytes. */
  readonly memoryBytesMax: number;
  /** Looks at `signal` before every minibatch. Rejects when the engine or its worker fails. */
  train(work: TrainingWork, signal: AbortSignal): Promise<Result<LocalResult, EngineMissing>>;
  evaluate(work: EvaluationWork, signal: AbortSignal): Promise<Result<MetricSums, EngineMissing>>;
}

/** Trains `model` on the examples as `job` says. Plain data: it can be posted to a worker. */
export type TrainingWork = { readonly model: Model; readonly job: LocalJob; readonly examples: BatchSource };

/** Evaluates `parameters` [parameterCount] on the examples. Plain data as well. */
export type EvaluationWork = { readonly model: Model; readonly parameters: Float32Array<ArrayBuffer>; readonly examples: BatchSource };
