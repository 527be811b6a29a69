import { SeededRandom } from "@tutti/base";
import { taskName, type TaskAction } from "@tutti/protocol";
import { CoordinatorDisk } from "./coordinator-disk.ts";
import { CoordinatorHost } from "./coordinator-host.ts";
import { DeviceActor } from "./device-actor.ts";
import { HostileDevice } from "./hostile-device.ts";
import { livenessMs, settlingMs } from "./limits.ts";
import { Network } from "./network.ts";
import { OperatorActor } from "./operator-actor.ts";
import { drawSwarm, type Swarm } from "./swarm.ts";
import { Trace } from "./trace.ts";
import { VirtualTime } from "./virtual-time.ts";
import { Witness } from "./witness.ts";
import { worldExamples, worldTask } from "./world-task.ts";
import { noWrappers, type Wrappers } from "./wrappers.ts";

/** What a world came to. `fault` is the first law that was broken; equal seeds give equal traces. */
export type WorldResult = {
  readonly seed: number;
  readonly swarm: Swarm;
  readonly fault: string | undefined;
  readonly trace: readonly string[];
  readonly traceHash: string;
  readonly roundsCommitted: number;
  readonly roundsAbandoned: number;
};

const worldStartMs = Date.UTC(2027, 0, 1);

/**
 * Runs the world of `seed`: a real coordinator and real devices on virtual time, while everything around
 * them fails; then the faults stop, and every task must reach its end. @param planted for tests of the world itself.
 */
export async function runWorld(seed: number, planted: Partial<Wrappers> = {}): Promise<WorldResult> {
  const world = new World(drawSwarm(seed), { ...noWrappers, ...planted });
  await world.run();
  return world.result();
}

class World {
  readonly #swarm: Swarm;
  readonly #random: SeededRandom;
  readonly #time: VirtualTime;
  readonly #trace: Trace;
  readonly #witness: Witness;
  readonly #disk: CoordinatorDisk;
  readonly #host: CoordinatorHost;
  readonly #network: Network;
  readonly #operator: OperatorActor;
  readonly #wrappers: Wrappers;
  readonly #devices: DeviceActor[] = [];
  readonly #hostile: HostileDevice[] = [];
  #isFaulty = true;

  constructor(swarm: Swarm, wrappers: Wrappers) {
    const random = SeededRandom.from(swarm.seed);
    const time = new VirtualTime(worldStartMs, random.split("order"));
    const trace = new Trace(time);
    const witness = new Witness(time, trace);
    const disk = new CoordinatorDisk({ time, random: random.split("disk"), swarm: swarm.coordinator, witness }, wrappers.disk);
    witness.watch(disk);
    const host = new CoordinatorHost({ time, random: random.split("host"), disk, trace, witness, wrappers, downMsMax: swarm.coordinator.downMsMax });
    this.#network = new Network({ time, random: random.split("network"), swarm: swarm.network, exchange: (request) => host.exchange(request), trace, witness });
    this.#operator = new OperatorActor({ time, host, trace });
    this.#swarm = swarm;
    this.#random = random;
    this.#time = time;
    this.#trace = trace;
    this.#witness = witness;
    this.#disk = disk;
    this.#host = host;
    this.#wrappers = wrappers;
  }

  /** A world that does not end, or that breaks itself, is a fault as well. */
  async run(): Promise<void> {
    try {
      await this.#live();
    } catch (cause) {
      this.#witness.broken(`the world itself: ${String(cause)}`);
    }
  }

  /** The faulty part, the calm part, the end. */
  async #live(): Promise<void> {
    const { faultyMs } = this.#swarm;
    this.#trace.add("world", JSON.stringify(this.#swarm));
    void this.#host.start();
    void this.#settle();
    this.#disturb();
    const faultyUntil = this.#time.now() + faultyMs;
    await this.#pass(faultyUntil, () => this.#areTasksOver());
    if (this.#hasFault()) return;
    this.#trace.add("world", "the faults stop");
    this.#calm();
    const isOver = await this.#pass(this.#time.now() + livenessMs, () => this.#areTasksOver());
    if (!isOver && !this.#hasFault()) this.#witness.broken(`a task has not reached its end ${livenessMs / 3_600_000} h after the faults`);
    if (!this.#hasFault()) await this.#awaitRest();
    await this.#witness.modelsAreKept();
  }

  result(): WorldResult {
    const outcomes = [...this.#witness.rounds.values()].map(({ closing }) => closing?.closed.outcome);
    return {
      seed: this.#swarm.seed,
      swarm: this.#swarm,
      fault: this.#witness.fault,
      trace: this.#trace.lines,
      traceHash: this.#trace.hash,
      roundsCommitted: outcomes.filter((outcome) => outcome === "committed").length,
      roundsAbandoned: outcomes.filter((outcome) => outcome === "abandoned").length,
    };
  }

  /** Population, tasks, and then the devices, which pin the population's keys. */
  async #settle(): Promise<void> {
    const { tasks, trainers, evaluators, hostile, device: swarm } = this.#swarm;
    const documents = Array.from({ length: tasks }, (_, i) => worldTask(this.#swarm, i));
    const keys = await this.#operator.setUp(documents);
    for (let i = 0; i < trainers + evaluators; i++) {
      const random = this.#random.split(`device ${i}`);
      const parts = { time: this.#time, random, swarm, network: this.#network, trace: this.#trace, witness: this.#witness, wrappers: this.#wrappers, keys };
      const device = new DeviceActor({ ...parts, name: `device-${i}`, cohort: i < trainers ? "training" : "held-out", examples: worldExamples(random.split("examples")) });
      this.#devices.push(device);
      await device.unpack(random.uniform() * 30_000);
      this.#disturbDevice(device, random.split("fate"));
      if (i < swarm.leavers) this.#time.after(random.uniform() * this.#swarm.faultyMs, () => this.#isFaulty && device.leave());
    }
    for (let i = 0; i < hostile; i++) {
      const actor = new HostileDevice({ name: `hostile-${i}`, time: this.#time, random: this.#random.split(`hostile ${i}`), network: this.#network, tasks: documents.map(({ name }) => name) });
      this.#hostile.push(actor);
      void actor.run();
    }
  }

  /** What happens to the coordinator's machine and its tasks. */
  #disturb(): void {
    const { crashEveryMs, stopEveryMs, fullEveryMs, fullMsMax } = this.#swarm.coordinator;
    const { operatorActsEveryMs, mayHalt, tasks } = this.#swarm;
    const random = this.#random.split("disturbances");
    this.#every(crashEveryMs, random.split("crash"), () => this.#host.crash("by itself"));
    this.#every(stopEveryMs, random.split("stop"), () => void this.#host.stop());
    const full = random.split("full");
    this.#every(fullEveryMs, full, () => {
      this.#fill(true);
      this.#time.after(full.uniform() * fullMsMax, () => this.#fill(false));
    });
    const acts = random.split("operator");
    this.#every(operatorActsEveryMs, acts, () => {
      const actions: readonly TaskAction[] = mayHalt ? ["pause", "resume", "resume", "halt"] : ["pause", "resume", "resume"];
      void this.#operator.act(taskName(`line-${acts.below(tasks)}`), actions[acts.below(actions.length)] ?? "resume");
    });
  }

  #fill(isFull: boolean): void {
    this.#disk.isFull = isFull && this.#isFaulty;
    this.#witness.disturbed();
    this.#trace.add("disk", this.#disk.isFull ? "is full" : "has room");
  }

  #disturbDevice(device: DeviceActor, random: SeededRandom): void {
    const { crashEveryMs, freezeEveryMs, restoreEveryMs, clockJumpEveryMs, conditionsLostEveryMs } = this.#swarm.device;
    this.#every(crashEveryMs, random.split("crash"), () => device.crash("by itself"));
    this.#every(freezeEveryMs, random.split("freeze"), () => device.freeze());
    this.#every(restoreEveryMs, random.split("restore"), () => void device.backUpOrRestore());
    this.#every(clockJumpEveryMs, random.split("clock"), () => device.jumpClock());
    this.#every(conditionsLostEveryMs, random.split("conditions"), () => device.loseConditions());
  }

  /** Calls `act` again and again, on average every `meanMs`, while the faults last. */
  #every(meanMs: number | null, random: SeededRandom, act: () => void): void {
    if (meanMs === null || !this.#isFaulty) return;
    this.#time.after(-meanMs * Math.log(1 - random.uniform()), () => {
      if (!this.#isFaulty) return;
      act();
      this.#every(meanMs, random, act);
    });
  }

  #calm(): void {
    this.#isFaulty = false;
    this.#network.isCalm = true;
    this.#disk.isCalm = true;
    this.#fill(false);
    for (const actor of [...this.#devices, ...this.#hostile]) actor.isCalm = true;
    for (const { task } of this.#witness.tasks.values()) void this.#operator.actUntilDone(task.name, "resume");
  }

  async #awaitRest(): Promise<void> {
    const end = this.#time.now() + settlingMs;
    let restless = this.#devices.filter(({ isGone }) => !isGone);
    while (restless.length > 0 && this.#time.now() < end && !this.#hasFault()) {
      await this.#pass(this.#time.now() + 1000, () => false);
      const still: DeviceActor[] = [];
      for (const device of restless) if (!(await device.rests())) still.push(device);
      restless = still;
    }
    const [first] = restless;
    if (first !== undefined && !this.#hasFault()) this.#witness.broken(`${first.name} has a participation without an end: ${JSON.stringify(await first.ledger())}`);
  }

  #pass(untilMs: number, isOver: () => boolean): Promise<boolean> {
    return this.#time.pass(untilMs, () => this.#hasFault() || isOver(), () => this.#witness.judge());
  }

  #hasFault(): boolean {
    return this.#witness.fault !== undefined;
  }

  #areTasksOver(): boolean {
    const tasks = [...this.#witness.tasks.values()];
    const open = [...this.#witness.rounds.values()].some(({ closing }) => closing === null);
    return tasks.length === this.#swarm.tasks && !open && tasks.every(({ progress }) => progress.phase === "done" || progress.phase === "halted");
  }
}
