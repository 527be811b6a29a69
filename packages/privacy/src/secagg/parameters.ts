import { assert, err, ok, type Result } from "@tutti/base";
import { cohortSizeMax, completeGraphCohortMax } from "./limits.ts";

/** Whom the thresholds withstand; each class includes the one before it. */
export type AdversaryClass = "curious" | "semi-malicious" | "hardened";

/** What the plan carries; k and t follow from it and from the frozen cohort, and are never in it. */
export type SecurityTargets = {
  /** γ in [0, 1): part of the cohort that colludes with the server. */
  readonly colludingFraction: number;
  /** δ in [0, 1): all losses from the roster to message 6. */
  readonly dropoutFraction: number;
  /** σ: a privacy failure has probability at most 2^-(σ-1). */
  readonly securityBits: number;
  /** η: a sum that loses no more than δ fails with probability at most 2^-η. */
  readonly correctnessBits: number;
  readonly adversary: AdversaryClass;
};

export type GraphParameters = {
  /** k: even, or n − 1 in a complete graph. */
  readonly neighbourCount: number;
  /** t: shares that open a secret. */
  readonly shareThreshold: number;
};

export type Infeasible = { readonly code: "parameters-infeasible"; readonly cohortSize: number };

/** The protocol's defaults, and the floors of a device's own policy for γ, σ. */
export const defaultTargets: SecurityTargets = {
  colludingFraction: 0.1, dropoutFraction: 0.1, securityBits: 40, correctnessBits: 20, adversary: "hardened",
};

/** Rounding allowance of the reference implementation, so that 0.1 · 1000 is 100. */
const fractionSlack = 1e-14;

/**
 * The smallest even degree k of a Harary graph, and its threshold t, that meet `targets` for n devices.
 * Holds for any n; a run with few devices uses `sumParameters`.
 * Source: Bell et al. 2020, and graph_parameter_finder of google-parfait/federated-compute; the class
 * "hardened" (no cut of the ring into two arcs) is ours and needs a cryptographer's review.
 * It protects only together with the agreement on the two sets (messages 5a to 5c).
 */
export function findGraphParameters(cohortSize: number, targets: SecurityTargets): Result<GraphParameters, Infeasible> {
  assertTargets(cohortSize, targets);
  const n = cohortSize;
  const colluders = Math.floor((targets.colludingFraction + fractionSlack) * n);
  const dropouts = Math.floor((targets.dropoutFraction + fractionSlack) * n);
  const survivors = Math.ceil((1 - targets.dropoutFraction - fractionSlack) * n);
  const lost = colluders + dropouts;
  const privacyTail = 2 ** -(targets.securityBits + 1) / n;
  const correctnessTail = 2 ** -targets.correctnessBits / n;
  // ln of Pr[k given devices all lie among the lost ones], extended by two factors per step.
  let lnAllLost = 0;
  for (let k = 2; k < n - 1; k += 2) {
    if (k <= lost) {
      lnAllLost += Math.log((lost - k + 2) / (n - k + 2)) + Math.log((lost - k + 1) / (n - k + 1));
      const lnDisconnected = Math.log(n) + Math.log(n - k - 1) - Math.LN2 + lnAllLost;
      if (lnDisconnected >= -(targets.securityBits + 1) * Math.LN2) continue;
    }
    const lower = openableShares({ n, k, colluders, tail: privacyTail, adversary: targets.adversary });
    const upper = lowerQuantile({ population: n, marked: survivors, draws: k }, correctnessTail);
    if (upper > lower) return ok({ neighbourCount: k, shareThreshold: Math.max(lower + 1, 2) });
  }
  return err({ code: "parameters-infeasible", cohortSize });
}

/** k and t of a run of the protocol: the complete graph up to 30 devices, the finder's answer above. */
export function sumParameters(cohortSize: number, targets: SecurityTargets): Result<GraphParameters, Infeasible> {
  assertTargets(cohortSize, targets);
  if (cohortSize > completeGraphCohortMax) return findGraphParameters(cohortSize, targets);
  const colluders = Math.floor((targets.colludingFraction + fractionSlack) * cohortSize);
  const shareThreshold = Math.floor((cohortSize + colluders) / 2) + 1;
  const survivors = cohortSize - Math.floor((targets.dropoutFraction + fractionSlack) * cohortSize);
  // A survivor holds no share of its own secrets: at most survivors − 1 neighbours answer for it.
  if (survivors - 1 < shareThreshold) return err({ code: "parameters-infeasible", cohortSize });
  return ok({ neighbourCount: cohortSize - 1, shareThreshold });
}

/** The largest count of shares that the adversary may get of one secret: the threshold lies above it. */
function openableShares(of: { n: number; k: number; colluders: number; tail: number; adversary: AdversaryClass }): number {
  const { n, k, colluders, tail, adversary } = of;
  const colludingNeighbours = upperQuantile({ population: n, marked: colluders, draws: k }, tail);
  if (adversary === "curious") return colludingNeighbours;
  // 2t > k + colluders: the two secrets of one device can never both be opened.
  const bothSecrets = Math.ceil((colludingNeighbours + k - 1.25) / 2);
  if (adversary === "semi-malicious") return bothSecrets;
  const oneArc = k / 2 + upperQuantile({ population: n, marked: colluders, draws: k / 2 }, tail);
  return Math.max(bothSecrets, oneArc);
}

/** X = marked members among `draws` drawn without replacement from `population`. */
type Hypergeometric = { readonly population: number; readonly marked: number; readonly draws: number };

/** min { x : Pr[X > x] ≤ tail }. */
function upperQuantile(law: Hypergeometric, tail: number): number {
  const { first, weights, total } = weightsOf(law, tail);
  let above = 0;
  for (let i = weights.length - 1; i > 0; i--) {
    above += weights[i] ?? 0;
    if (above > tail * total) return first + i;
  }
  return first;
}

/** min { x : Pr[X ≤ x] ≥ tail }. */
function lowerQuantile(law: Hypergeometric, tail: number): number {
  const { first, weights, total } = weightsOf(law, tail);
  let below = 0;
  for (let i = 0; i < weights.length; i++) {
    below += weights[i] ?? 0;
    if (below >= tail * total) return first + i;
  }
  return first + weights.length - 1;
}

/**
 * Probabilities around the mode, up to a common factor `total`: products of ratios of neighbours, so
 * there is no difference of large log-gammas. What is left out on each side is below tail · 1e-18.
 */
function weightsOf(law: Hypergeometric, tail: number): { first: number; weights: readonly number[]; total: number } {
  const { population, marked, draws } = law;
  const least = Math.max(0, draws + marked - population);
  const most = Math.min(draws, marked);
  const mode = Math.min(most, Math.max(least, Math.floor(((draws + 1) * (marked + 1)) / (population + 2))));
  const negligible = tail * 1e-22;
  const ratioUp = (x: number): number => ((marked - x) / (x + 1)) * ((draws - x) / (population - marked - draws + x + 1));
  const up: number[] = [];
  for (let x = mode, w = 1; x < most && w > negligible; x++) up.push((w *= ratioUp(x)));
  const down: number[] = [];
  for (let x = mode, w = 1; x > least && w > negligible; x--) down.push((w /= ratioUp(x - 1)));
  const weights = [...down.reverse(), 1, ...up];
  return { first: mode - down.length, weights, total: weights.reduce((sum, w) => sum + w, 0) };
}

function assertTargets(cohortSize: number, targets: SecurityTargets): void {
  const isFraction = (x: number): boolean => x >= 0 && x < 1;
  assert(Number.isInteger(cohortSize) && cohortSize >= 2 && cohortSize <= cohortSizeMax, "a cohort has 2 to 10^6 devices");
  assert(isFraction(targets.colludingFraction) && isFraction(targets.dropoutFraction), "fractions lie in [0, 1)");
  assert(targets.securityBits >= 1 && targets.correctnessBits >= 1, "securityBits and correctnessBits are at least 1");
}
