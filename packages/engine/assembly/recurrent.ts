import { sigmoid4, tanh4 } from "./functions";
import { at, loadUpTo4, madd, splat, storeUpTo4 } from "./vectors";

export function lstmCell(rows: i32, units: i32, z: i32, cBefore: i32, c: i32, h: i32): void {
  const gate = <usize>units << 2;
  for (let r = 0; r < rows; r++) {
    let p = at(z + 4 * r * units), q = at(cBefore + r * units), u = at(c + r * units), v = at(h + r * units);
    for (let count = units; count > 0; count -= 4, p += 16, q += 16, u += 16, v += 16) {
      const i = sigmoid4(loadUpTo4(p, count)), f = sigmoid4(loadUpTo4(p + gate, count));
      const g = tanh4(loadUpTo4(p + 2 * gate, count)), o = sigmoid4(loadUpTo4(p + 3 * gate, count));
      const cell = madd(f, loadUpTo4(q, count), f32x4.mul(i, g));
      storeUpTo4(p, i, count);
      storeUpTo4(p + gate, f, count);
      storeUpTo4(p + 2 * gate, g, count);
      storeUpTo4(p + 3 * gate, o, count);
      storeUpTo4(u, cell, count);
      storeUpTo4(v, f32x4.mul(o, tanh4(cell)), count);
    }
  }
}

export function lstmCellBackward(rows: i32, units: i32, z: i32, cBefore: i32, c: i32, dh: i32, dc: i32): void {
  const gate = <usize>units << 2;
  for (let r = 0; r < rows; r++) {
    let p = at(z + 4 * r * units), q = at(cBefore + r * units), u = at(c + r * units), v = at(dh + r * units), w = at(dc + r * units);
    for (let count = units; count > 0; count -= 4, p += 16, q += 16, u += 16, v += 16, w += 16) {
      const i = loadUpTo4(p, count), f = loadUpTo4(p + gate, count), g = loadUpTo4(p + 2 * gate, count), o = loadUpTo4(p + 3 * gate, count);
      const t = tanh4(loadUpTo4(u, count)), slope = loadUpTo4(v, count);
      const dCell = madd(f32x4.mul(slope, o), oneMinus(f32x4.mul(t, t)), loadUpTo4(w, count));
      storeUpTo4(p, f32x4.mul(f32x4.mul(dCell, g), f32x4.mul(i, oneMinus(i))), count);
      storeUpTo4(p + gate, f32x4.mul(f32x4.mul(dCell, loadUpTo4(q, count)), f32x4.mul(f, oneMinus(f))), count);
      storeUpTo4(p + 2 * gate, f32x4.mul(f32x4.mul(dCell, i), oneMinus(f32x4.mul(g, g))), count);
      storeUpTo4(p + 3 * gate, f32x4.mul(f32x4.mul(slope, t), f32x4.mul(o, oneMinus(o))), count);
      storeUpTo4(w, f32x4.mul(dCell, f), count);
    }
  }
}

export function gruCell(rows: i32, units: i32, a: i32, b: i32, hBefore: i32, h: i32): void {
  const gate = <usize>units << 2;
  for (let row = 0; row < rows; row++) {
    let p = at(a + 3 * row * units), q = at(b + 3 * row * units), u = at(hBefore + row * units), v = at(h + row * units);
    for (let count = units; count > 0; count -= 4, p += 16, q += 16, u += 16, v += 16) {
      const r = sigmoid4(f32x4.add(loadUpTo4(p, count), loadUpTo4(q, count)));
      const z = sigmoid4(f32x4.add(loadUpTo4(p + gate, count), loadUpTo4(q + gate, count)));
      const n = tanh4(madd(r, loadUpTo4(q + 2 * gate, count), loadUpTo4(p + 2 * gate, count)));
      storeUpTo4(p, r, count);
      storeUpTo4(p + gate, z, count);
      storeUpTo4(p + 2 * gate, n, count);
      storeUpTo4(v, madd(z, f32x4.sub(loadUpTo4(u, count), n), n), count);
    }
  }
}

export function gruCellBackward(rows: i32, units: i32, a: i32, b: i32, hBefore: i32, dh: i32, dhBefore: i32): void {
  const gate = <usize>units << 2;
  for (let row = 0; row < rows; row++) {
    let p = at(a + 3 * row * units), q = at(b + 3 * row * units), u = at(hBefore + row * units), v = at(dh + row * units), w = at(dhBefore + row * units);
    for (let count = units; count > 0; count -= 4, p += 16, q += 16, u += 16, v += 16, w += 16) {
      const r = loadUpTo4(p, count), z = loadUpTo4(p + gate, count), n = loadUpTo4(p + 2 * gate, count);
      const slope = loadUpTo4(v, count);
      const dn = f32x4.mul(f32x4.mul(slope, oneMinus(z)), oneMinus(f32x4.mul(n, n)));
      const dz = f32x4.mul(f32x4.mul(slope, f32x4.sub(loadUpTo4(u, count), n)), f32x4.mul(z, oneMinus(z)));
      const dr = f32x4.mul(f32x4.mul(dn, loadUpTo4(q + 2 * gate, count)), f32x4.mul(r, oneMinus(r)));
      storeUpTo4(p, dr, count);
      storeUpTo4(p + gate, dz, count);
      storeUpTo4(p + 2 * gate, dn, count);
      storeUpTo4(q, dr, count);
      storeUpTo4(q + gate, dz, count);
      storeUpTo4(q + 2 * gate, f32x4.mul(dn, r), count);
      storeUpTo4(w, f32x4.mul(slope, z), count);
    }
  }
}

@inline
function oneMinus(x: v128): v128 {
  return f32x4.sub(splat(1), x);
}
