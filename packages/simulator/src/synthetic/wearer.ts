import type { SeededRandom } from "@tutti/base";

/** A rotation matrix by rows: arm axes to the axes of the watch. */
export type Rotation = readonly [number, number, number, number, number, number, number, number, number];

/** What makes one made-up person's signals differ from another's. Angles in rad, lengths of time in s. */
export type Wearer = {
  /** Steps per second; an arm swings once in two. */
  readonly stepHz: number;
  /** Amplitude of the arm's swing about the shoulder. */
  readonly swing: number;
  /** Amplitude of the body's vertical acceleration in a step, m/s². */
  readonly bounce: number;
  /** Peak of the trunk's acceleration in standing up and sitting down, m/s². */
  readonly rise: number;
  /** Of the forearm, from hanging down: while seated, and while on foot. */
  readonly seatedAngle: number;
  readonly hangingAngle: number;
  /** Multiplies how long standing up, sitting down and turning take. */
  readonly slowness: number;
  /** How the watch sits on the arm. */
  readonly mounting: Rotation;
  /** Heart beats per second at rest, and in the hardest effort. */
  readonly restingHz: number;
  readonly fastestHz: number;
};

/** One made-up person: the same `random`, the same person. */
export function wearerOf(random: SeededRandom): Wearer {
  const between = (low: number, high: number): number => low + (high - low) * random.uniform();
  const isOnLeftArm = random.uniform() < 0.75;
  return {
    stepHz: between(1.5, 2.1),
    swing: between(0.15, 0.6),
    bounce: between(1.2, 3.2),
    rise: between(1, 2.6),
    seatedAngle: between(0.9, 1.7),
    hangingAngle: between(0, 0.35),
    slowness: between(0.8, 1.35),
    mounting: mountingOf({ round: 0.35 * random.normal(), tilt: 0.15 * random.normal(), isOnLeftArm }),
    restingHz: between(0.85, 1.35),
    fastestHz: between(2.4, 3),
  };
}

/** About the forearm's axis by `round`, then across it by `tilt`; on the other arm the watch is turned by half. */
function mountingOf({ round, tilt, isOnLeftArm }: { readonly round: number; readonly tilt: number; readonly isOnLeftArm: boolean }): Rotation {
  const side = isOnLeftArm ? 1 : -1;
  const [cr, sr, ct, st] = [Math.cos(round), Math.sin(round), Math.cos(tilt), Math.sin(tilt)];
  return [side * ct, side * -st * cr, side * st * sr, side * st, side * ct * cr, side * -ct * sr, 0, sr, cr];
}

/** `rotation` times the vector (x, y, z). */
export function rotated(rotation: Rotation, [x, y, z]: readonly [number, number, number]): readonly [number, number, number] {
  const [a, b, c, d, e, f, g, h, i] = rotation;
  return [a * x + b * y + c * z, d * x + e * y + f * z, g * x + h * y + i * z];
}
