import { assert, hexFromBytes, sha256Hex } from "@tutti/base";
import { planBytes, planSignatureBytes, roundId, routes, type BlobReference, type Plan, type TaskKind } from "@tutti/protocol";
import { openRound as openRoundState, planOf, roundPolicyOf, type Round } from "@tutti/rounds";
import type { RoundSum } from "./aggregate/round-sum.ts";
import { LiveRound } from "./live-round.ts";
import { decodePlan } from "./plan-blob.ts";
import { signatureOf } from "./population-keys.ts";
import type { OpenRoundRow } from "./store/store.ts";
import type { TaskRun } from "./task-run.ts";

/** Opens the task's next round: plan, blobs and sum first, then its row; from then on it survives a crash. */
export async function openRound(run: TaskRun, kind: TaskKind): Promise<LiveRound> {
  const { store, blobs, clock, random } = run.ports;
  const { population, task } = run.row;
  const { nextRound: round, step } = run.progress;
  const policy = roundPolicyOf(run.task, kind, run.progress);
  const plan = planOf(run.task, { population, kind, round, step, roundNonce: sha256Hex(hexFromBytes(random.bytes(32))), modelHash: run.latest.hash, policy });
  const bytes = planBytes(plan);
  const openedAt = clock.now();
  const row: OpenRoundRow = {
    round: roundId(population, task, round),
    kind,
    state: openRoundState(policy, openedAt),
    planHash: await blobs.put(bytes),
    planSignature: signatureOf(run.population.signers.plan, planSignatureBytes(bytes)),
    modelVersion: run.latest.version,
    sumKey: random.bytes(32),
    openedAt,
  };
  const prepared = await prepare(run, row, plan);
  try {
    await store.openRound(row);
  } catch (cause) {
    await prepared.sum.discard();
    throw cause;
  }
  return begin(run, { ...prepared, row, plan, assignments: [], departures: [] }, { recovered: false });
}

/** Takes up a round that a crash or a stop left open, exactly where the store and the sum say it stands. */
export async function recoverRound(run: TaskRun, row: OpenRoundRow): Promise<LiveRound> {
  const { store, blobs } = run.ports;
  const plan = decodePlan(await blobs.read(row.planHash));
  const [assignments, departures] = [await store.assignments(row.round), await store.departures(row.round)];
  return begin(run, { ...(await prepare(run, row, plan)), row, plan, assignments, departures }, { recovered: true });
}

type Prepared = { readonly planBlob: BlobReference; readonly modelBlob: BlobReference; readonly sum: RoundSum; readonly state: Round; readonly counting: Counting };
/** Whom the sum tells of counted reports: the live round, which is made of the sum. */
type Counting = { tell: (slot: number) => void };

async function prepare(run: TaskRun, row: OpenRoundRow, plan: Plan): Promise<Prepared> {
  // What the store holds was written by `saveRoundState` or `openRound` of this very version's schema.
  const state = row.state as Round;
  const counting: Counting = { tell: () => assert(false, "no report is counted before the round lives") };
  const [planBlob, modelBlob] = [await referenceTo(run, row.planHash), await referenceTo(run, plan.modelHash)];
  const sum = await run.ports.aggregator.open({
    round: row.round,
    parameterCount: plan.kind === "train" ? plan.parameterCount : 0,
    clause: plan.sum,
    // Places that were given back are handed out again, but never more at once than this.
    reportsMax: state.policy.assignedTarget,
    durability: run.task.durability,
    sumKey: row.sumKey,
    fingerprintKey: run.population.fingerprintKey,
    onCounted: (slot) => counting.tell(slot),
  });
  return { planBlob, modelBlob, sum, state, counting };
}

function begin(run: TaskRun, { counting, ...parts }: Prepared & Omit<ConstructorParameters<typeof LiveRound>[1], keyof Prepared>, { recovered }: { readonly recovered: boolean }): LiveRound {
  const live = new LiveRound(run.ports, parts);
  counting.tell = (slot) => live.counted(slot);
  const { population, task, round, kind: roundKind } = live.plan;
  const { goalCount, assignedTarget } = live.state.policy;
  run.ports.onEvent({ kind: "round-opened", population, task, round, roundKind, goalCount, assignedTarget, recovered });
  void live.watchDeadlines();
  return live;
}

async function referenceTo({ ports }: TaskRun, hash: BlobReference["hash"]): Promise<BlobReference> {
  const bytes = await ports.blobs.byteCount(hash);
  if (bytes === undefined) throw new Error(`the blob ${hash} of an open round is missing`);
  return { hash, bytes, url: routes.blob(hash) };
}
